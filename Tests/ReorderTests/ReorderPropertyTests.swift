import LinkModel
import Packet
import TestSupport
import Testing

@testable import Reorder

@Suite struct ReorderPropertyTests {
    /// Random flows, delays, losses, duplicates, holds, proofs and jumps, compared with the oracle step by step.
    @Test(arguments: Array(UInt64(1)...60))
    func doesWhatTheOracleDoes(_ seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let bound = [8, 64, 8192][random.below(3)]
        let rig = ReorderRig(bound: bound)
        var oracle = ReorderOracle(bound: bound)
        let flows = 1 + random.below(6)
        var last = [UInt64?](repeating: nil, count: flows)
        // Packets in flight: their arrival times and fields.
        var under: [(time: Int, sequence: UInt64, distance: UInt64)] = []
        var next: UInt64 = 0
        let loss = Double(random.below(20)) / 100
        let spread = 1 + random.below(60)
        for step in 0..<1500 {
            if random.chance(0.002) { next += 65000 + UInt64(random.below(2000)) }
            let flow = random.below(flows)
            let distance = last[flow].map { next - $0 } ?? 0
            last[flow] = next
            if !random.chance(loss) {
                for _ in 0..<(random.chance(0.05) ? 2 : 1) {
                    under.append((step + random.below(spread), next, distance > 65535 ? 0 : distance))
                }
            }
            next += 1
            for packet in under where packet.time <= step {
                let hold =
                    Interval.microseconds(Int64(random.below(40_000))) + Interval(nanoseconds: Int64(step))
                let expected = oracle.accept(
                    packet.sequence, distance: packet.distance, hold: hold, now: rig.now)
                let verdict = rig.accept(
                    packet.sequence, after: packet.distance == 0 ? nil : packet.sequence - packet.distance,
                    hold: hold)
                try #require(
                    "\(verdict)" == expected, "seed \(seed), step \(step), sequence \(packet.sequence)")
                try #require(rig.delivered == oracle.delivered, "seed \(seed), step \(step)")
            }
            under.removeAll { $0.time <= step }
            if random.chance(0.05), let oldest = under.map(\.sequence).min() {
                rig.prove(oldest)
                oracle.prove(oldest)
                try #require(rig.delivered == oracle.delivered, "seed \(seed), step \(step), proof")
            }
            rig.wait(.microseconds(Int64(random.below(2000))))
            oracle.expire(rig.now)
            try #require(rig.delivered == oracle.delivered, "seed \(seed), step \(step), timer")
            try #require(rig.buffer.held == oracle.waiting.count && rig.buffer.held <= bound)
            try #require(rig.buffer.nextDeadline() == oracle.nextDeadline)
            try #require(rig.pool.inUse == rig.buffer.held)
        }
        rig.wait(.seconds(1))
        #expect(rig.pool.inUse == 0 && rig.buffer.nextDeadline() == .never)
        #expect(Set(rig.delivered).count == rig.delivered.count, "seed \(seed): delivered twice")
    }

    /// Unless a hold expires, a flow comes out in order whatever the network did.
    @Test(arguments: Array(UInt64(1)...20))
    func aFlowIsInOrderWhileHoldsLast(_ seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let rig = ReorderRig()
        var flowOf: [Int] = []
        var last = [UInt64?](repeating: nil, count: 5)
        var arrivals: [(time: Int, sequence: UInt64, predecessor: UInt64?)] = []
        for sequence in UInt64(0)..<3000 {
            let flow = random.below(5)
            arrivals.append((Int(sequence) * 10 + random.below(900), sequence, last[flow]))
            last[flow] = sequence
            flowOf.append(flow)
        }
        arrivals.sort { $0.time < $1.time }
        var time = 0
        for arrival in arrivals {
            rig.wait(.microseconds(Int64(arrival.time - time)))
            time = arrival.time
            rig.accept(arrival.sequence, after: arrival.predecessor, hold: .milliseconds(1))
        }
        rig.wait(.milliseconds(1))
        #expect(rig.delivered.count == 3000 && rig.buffer.counters.expired == 0)
        for flow in 0..<5 {
            let own = rig.delivered.filter { flowOf[Int($0)] == flow }
            #expect(own == own.sorted(), "seed \(seed), flow \(flow)")
        }
    }
}
