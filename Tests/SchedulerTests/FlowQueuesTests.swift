import LinkModel
import Packet
import Scheduler
import TestSupport
import Testing

@Suite struct FlowQueuesTests {
    /// Queues with their own pool, notes and clock.
    private final class Rig {
        var pool = PacketPool(capacity: 4096)
        let notes = PacketNotes(capacity: 4096)
        var queues = FlowQueues()
        var now = Instant(nanoseconds: 1_000_000_000)
        var limits = CoDel.Limits()

        func add(_ flow: UInt32, length: Int = 1400, sequence: UInt64 = 0, ecn: UInt8 = 0) {
            let slot = pool.reserve()
            pool.setLength(length, of: slot)
            let packet = pool.packet(in: slot)
            packet[0] = 0x45
            packet[1] = ecn
            var note = PacketNotes.Note()
            (note.entered, note.flow, note.sequence) = (now, flow, sequence)
            if ecn == InnerPacket.ect1 { note.trafficClass = .scalable }
            notes[slot] = note
            queues.append(slot, length: length, now: now, notes: notes)
        }

        func take() -> (flow: UInt32, sequence: UInt64, ecn: UInt8)? {
            let slot = queues.first(limits, now: now, pool: &pool, notes: notes)
            guard slot != .none else { return nil }
            let result = (notes[slot].flow, notes[slot].sequence, pool.packet(in: slot)[1])
            queues.removeFirst(length: pool.length(of: slot), notes: notes)
            pool.release(slot)
            return result
        }
    }

    @Test func flowsTakeTurns() {
        let rig = Rig()
        for i in 0..<100 { rig.add(1, sequence: UInt64(i)) }
        for i in 0..<100 { rig.add(2, sequence: UInt64(i)) }
        var counts: [UInt32: Int] = [:]
        for _ in 0..<100 { counts[rig.take()!.flow, default: 0] += 1 }
        #expect(abs((counts[1] ?? 0) - (counts[2] ?? 0)) <= 2)
    }

    /// Turns are measured in bytes, not packets.
    @Test func smallPacketsGetTheSameShare() {
        let rig = Rig()
        for _ in 0..<100 { rig.add(1, length: 1400) }
        for _ in 0..<1400 { rig.add(2, length: 100) }
        var bytes: [UInt32: Int] = [:]
        for _ in 0..<700 {
            let flow = rig.take()!.flow
            bytes[flow, default: 0] += flow == 1 ? 1400 : 100
        }
        let ratio = Double(bytes[1]!) / Double(bytes[2]!)
        #expect((0.9...1.1).contains(ratio), "\(bytes)")
    }

    @Test func aPingPassesTheBulk() {
        let rig = Rig()
        for _ in 0..<500 { rig.add(1) }
        for _ in 0..<10 { _ = rig.take() }
        rig.add(2, length: 84)
        #expect(rig.queues.isFirstSparse && rig.queues.isFirstSlow)
        #expect(rig.take()?.flow == 2)
        // A flow that continues like that gets its share and no more.
        var bulk = 0
        for _ in 0..<200 {
            rig.add(2, length: 1000)
            if rig.take()?.flow == 1 { bulk += 1 }
        }
        #expect((60...120).contains(bulk), "\(bulk)")
    }

    /// While repairs take all capacity, no flow's turn ends by itself, and a flow that has had one would not be
    /// new again.
    @Test func repairsCostTurns() {
        let rig = Rig()
        for _ in 0..<500 { rig.add(1) }
        for _ in 0..<4 { _ = rig.take() }
        for round in 0..<10 {
            rig.now = rig.now + .milliseconds(10)
            rig.add(2, length: 84)
            _ = rig.queues.first(rig.limits, now: rig.now, pool: &rig.pool, notes: rig.notes)
            let isSparse = rig.queues.isFirstSparse
            #expect(isSparse, "round \(round)")
            #expect(rig.take()?.flow == 2)
            // It has no more: the bulk flow's packet is next, and stays, as repairs take the capacity.
            _ = rig.queues.first(rig.limits, now: rig.now, pool: &rig.pool, notes: rig.notes)
            for _ in 0..<4 { rig.queues.charge(1400) }
        }
        #expect(rig.take()?.flow == 1, "what waits stays")
    }

    /// Prioritized traffic has to leave room for the rest.
    @Test func whatSendsMuchIsNotSparseThoughNothingWaits() {
        let rig = Rig()
        var sparse = 0
        for _ in 0..<200 {
            rig.now = rig.now + .microseconds(500)
            rig.add(1)
            _ = rig.queues.first(rig.limits, now: rig.now, pool: &rig.pool, notes: rig.notes)
            if rig.queues.isFirstSparse { sparse += 1 }
            _ = rig.take()
        }
        #expect((1..<60).contains(sparse), "\(sparse)")
    }

    @Test func aFlowKeepsItsOrderAndNothingIsLost() {
        var random = SeededGenerator(seed: 7)
        let rig = Rig()
        var next: [UInt32: UInt64] = [:]
        var expected: [UInt32: UInt64] = [:]
        var (added, taken) = (0, 0)
        for _ in 0..<50_000 {
            if random.below(2) == 0 && rig.pool.inUse < 4000 {
                // 1024 apart: one bucket for two flows.
                let flow = UInt32(random.below(40) * 512)
                let bucket = flow & 1023
                rig.add(flow, length: 40 + random.below(1400), sequence: next[bucket, default: 0])
                next[bucket, default: 0] += 1
                added += 1
            } else if let packet = rig.take() {
                let bucket = packet.flow & 1023
                #expect(packet.sequence == expected[bucket, default: 0])
                expected[bucket, default: 0] += 1
                taken += 1
            }
            if random.below(100) == 0 { rig.now = rig.now + .microseconds(100) }
        }
        while rig.take() != nil { taken += 1 }
        #expect(taken + Int(rig.queues.dropped) == added && rig.pool.inUse == 0)
        #expect(rig.queues.count == 0 && rig.queues.bytes == 0)
    }

    @Test func whatStandsIsDroppedOrMarked() {
        for ecn in [UInt8(0), 2, 1] {
            let rig = Rig()
            var marks = 0
            // A queue of 200 packets; one arrives and one leaves each millisecond, for two seconds.
            for _ in 0..<200 { rig.add(1, ecn: ecn) }
            for _ in 0..<2000 {
                rig.now = rig.now + .milliseconds(1)
                rig.add(1, ecn: ecn)
                if rig.take()?.ecn == 3 { marks += 1 }
            }
            if ecn == 0 {
                #expect(rig.queues.dropped > 50 && rig.queues.marked == 0 && marks == 0)
            } else {
                #expect(rig.queues.dropped == 0 && rig.queues.marked > 50)
                #expect(marks == Int(rig.queues.marked))
            }
        }
    }

    @Test func overflowTakesFromTheLongest() {
        let rig = Rig()
        for _ in 0..<50 { rig.add(1) }
        for _ in 0..<300 { rig.add(2) }
        let dropped = rig.queues.dropFromLongest(pool: &rig.pool, notes: rig.notes)
        #expect(dropped == 64 && rig.queues.count == 286 && rig.pool.inUse == 286)
        var counts: [UInt32: Int] = [:]
        while let packet = rig.take() { counts[packet.flow, default: 0] += 1 }
        #expect(counts == [1: 50, 2: 236])
        #expect(rig.queues.dropFromLongest(pool: &rig.pool, notes: rig.notes) == 0)
    }

    @Test func everythingIsGivenBack() {
        let rig = Rig()
        for i in 0..<300 { rig.add(UInt32(i)) }
        rig.queues.removeAll(pool: &rig.pool, notes: rig.notes)
        #expect(rig.pool.inUse == 0 && rig.queues.isEmpty && rig.take() == nil)
        rig.add(5)
        rig.queues.shrink()
        #expect(rig.take()?.flow == 5)
        rig.queues.shrink()
        rig.add(6)
        #expect(rig.take()?.flow == 6)
    }

    /// Every packet of a scalable flow above the step is marked, long before CoDel's interval has passed, and
    /// none of any other flow.
    @Test func scalableFlowsAreMarkedFromAStepOn() {
        let rig = Rig()
        for i in 0..<10 {
            rig.add(1, sequence: UInt64(i), ecn: InnerPacket.ect1)
            rig.add(2, sequence: UInt64(i), ecn: 2)
            rig.now = rig.now + .microseconds(500)
        }
        // The first has waited for 5 ms, the last for half of one.
        var marks: [UInt32: [Bool]] = [:]
        while let packet = rig.take() { marks[packet.flow, default: []].append(packet.ecn == InnerPacket.ce) }
        #expect(marks[1] == [true, true, true, true, true, true, false, false, false, false])
        #expect(marks[2] == Array(repeating: false, count: 10))
        #expect(rig.queues.marked == 6 && rig.queues.dropped == 0)
        // A lone packet is no queue.
        rig.add(1, ecn: InnerPacket.ect1)
        rig.now = rig.now + .milliseconds(10)
        #expect(rig.take()?.ecn == InnerPacket.ect1)
    }
}
