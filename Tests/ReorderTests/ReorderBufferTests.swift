import Packet
import Testing

@testable import Reorder

@Suite struct ReorderBufferTests {
    @Test func theFirstSequenceIsZeroAndWaitsForNobody() {
        let rig = ReorderRig()
        #expect(rig.accept(0) == .delivered)
        #expect(rig.accept(1, after: 0) == .delivered)
        #expect(rig.delivered == [0, 1])
        // A distance that reaches below sequence 0 has no meaning.
        let other = ReorderRig()
        let slot = other.pool.reserve()
        let verdict = other.buffer.accept(
            slot, sequence: 3, distance: 4, trafficClass: .bulk, hold: .seconds(1), now: other.now,
            pool: &other.pool)
        #expect(verdict == .delivered)
    }

    @Test func aPacketWaitsForItsOwnFlowOnly() {
        let rig = ReorderRig()
        rig.accept(0)
        rig.accept(1)
        // 2 is lost; 3 follows 2, 4 follows 1.
        #expect(rig.accept(3, after: 2) == .held)
        #expect(rig.accept(4, after: 1) == .delivered)
        #expect(rig.delivered == [0, 1, 4] && rig.buffer.held == 1)
        rig.accept(2, after: 0)
        #expect(rig.delivered == [0, 1, 4, 2, 3])
    }

    @Test func aTimerReleasesNotTheNextArrival() {
        let rig = ReorderRig()
        rig.accept(0)
        rig.accept(2, after: 1, hold: .milliseconds(30))
        #expect(rig.buffer.nextDeadline() == rig.now + .milliseconds(30))
        rig.wait(.milliseconds(30) - Interval(nanoseconds: 1))
        #expect(rig.delivered == [0])
        rig.wait(Interval(nanoseconds: 1))
        #expect(rig.delivered == [0, 2] && rig.buffer.nextDeadline() == .never)
        #expect(rig.buffer.counters.expired == 1)
    }

    @Test func orderGoesOnAfterALoss() {
        let rig = ReorderRig()
        rig.accept(0)
        for sequence in UInt64(2)..<500 { rig.accept(sequence, after: sequence - 1) }
        #expect(rig.delivered == [0])
        rig.wait(.milliseconds(100))
        #expect(rig.delivered == [0] + Array(2..<500))
        #expect(rig.accept(500, after: 499) == .delivered)
        #expect(rig.buffer.counters.expired == 1, "one loss, one wait")
    }

    @Test func aLateOriginalIsDeliveredAndItsCopyIsNot() {
        let rig = ReorderRig()
        rig.accept(0)
        rig.accept(2, after: 1)
        rig.wait(.seconds(1))
        #expect(rig.accept(1, after: 0) == .delivered)
        #expect(rig.accept(1, after: 0) == .duplicate)
        #expect(rig.delivered == [0, 2, 1])
        #expect(rig.buffer.counters.late == 1 && rig.buffer.counters.duplicates == 1)
    }

    @Test func tellsTheHoldThatThePathsNeed() {
        let rig = ReorderRig()
        rig.accept(0)
        rig.accept(2, after: 1, hold: .milliseconds(30))
        rig.accept(3, after: 2, hold: .milliseconds(30))
        rig.wait(.milliseconds(12))
        #expect(rig.buffer.takeNeededHold() == .zero)
        rig.accept(1, after: 0)
        #expect(rig.buffer.takeNeededHold() == .milliseconds(12), "it came in time")
        #expect(rig.buffer.takeNeededHold() == .zero, "once")
        rig.accept(5, after: 4, hold: .milliseconds(30))
        rig.wait(.milliseconds(40))
        rig.accept(4, after: 3)
        #expect(rig.buffer.takeNeededHold() == .milliseconds(40), "it came too late")
        // Packets proven lost were not waited for.
        rig.accept(7, after: 6)
        rig.prove(7)
        rig.wait(.milliseconds(40))
        rig.accept(6, after: 5)
        #expect(rig.buffer.takeNeededHold() == .zero)
    }

    @Test(arguments: [TrafficClass.realtime, .scalable])
    func someWaitForNobody(_ trafficClass: TrafficClass) {
        let rig = ReorderRig()
        rig.accept(0)
        rig.accept(2, after: 1, hold: .milliseconds(200), trafficClass: trafficClass)
        #expect(rig.delivered == [0, 2])
        rig.accept(1, after: 0, trafficClass: trafficClass)
        #expect(rig.delivered == [0, 2, 1], "late, not lost")
    }

    @Test func nothingWaitsForMoreThanHalfASecond() {
        let rig = ReorderRig()
        rig.accept(0)
        rig.accept(4, after: 3, hold: .seconds(9))
        rig.wait(.milliseconds(499))
        #expect(rig.delivered == [0])
        rig.wait(.milliseconds(1))
        #expect(rig.delivered == [0, 4])
    }

    @Test func aProofOfLossReleasesAtOnce() {
        let rig = ReorderRig()
        rig.accept(0)
        rig.accept(2, after: 1)
        rig.accept(3, after: 2)
        rig.prove(1)
        #expect(rig.delivered == [0])
        rig.prove(2)
        #expect(rig.delivered == [0, 2, 3] && rig.buffer.counters.proven == 1)
        // Packets after the proof do not wait either, and the lost one may still arrive late.
        rig.accept(5, after: 3)
        rig.prove(7)
        #expect(rig.accept(7, after: 6) == .delivered)
        #expect(rig.accept(6, after: 5) == .delivered)
        #expect(rig.buffer.counters.late == 1)
    }

    @Test func whoMissesAPacketThatWasLostWaitsForItsRepair() {
        let rig = ReorderRig()
        rig.repair = .milliseconds(40)
        rig.accept(0)
        rig.accept(2, after: 1, hold: .milliseconds(200))
        rig.wait(.milliseconds(5))
        rig.prove(2)
        #expect(rig.delivered == [0])
        rig.accept(1, after: 0)
        #expect(rig.delivered == [0, 1, 2])
        // A repair that does not arrive: from the proof on, 40 ms.
        rig.accept(4, after: 3, hold: .milliseconds(200))
        rig.prove(5)
        rig.wait(.milliseconds(39))
        #expect(rig.delivered == [0, 1, 2])
        rig.wait(.milliseconds(1))
        #expect(rig.delivered == [0, 1, 2, 4])
        // Packets after the proof do not wait longer than that either.
        rig.prove(7)
        #expect(rig.accept(6, after: 5, hold: .milliseconds(200)) == .held)
        rig.wait(.milliseconds(40))
        #expect(rig.delivered == [0, 1, 2, 4, 6])
    }

    @Test func aSuccessorDueFirstTakesItsPredecessorAlong() {
        // The predecessor arrived first and may wait for long; its successor may not.
        let rig = ReorderRig()
        rig.accept(0)
        rig.accept(2, after: 1, hold: .milliseconds(200))
        rig.accept(3, after: 2, hold: .milliseconds(150))
        rig.accept(4, after: 3, hold: .milliseconds(20))
        rig.wait(.milliseconds(20))
        #expect(rig.delivered == [0, 2, 3, 4])
        // And the other way round: the successor was there when its predecessor arrived.
        rig.accept(7, after: 6, hold: .milliseconds(20))
        rig.accept(6, after: 5, hold: .milliseconds(200))
        rig.wait(.milliseconds(20))
        #expect(rig.delivered == [0, 2, 3, 4, 6, 7] && rig.buffer.held == 0)
    }

    @Test func aFullBufferGivesUpTheEarliestDeadline() {
        let rig = ReorderRig(bound: 4)
        rig.accept(0)
        for sequence in UInt64(2)..<6 { rig.accept(sequence, after: sequence - 1) }
        #expect(rig.buffer.held == 4)
        // It follows one of those evicted for it: then it has nothing to wait for.
        #expect(rig.accept(6, after: 5) == .delivered)
        #expect(rig.delivered == [0, 2, 3, 4, 5, 6] && rig.buffer.held == 0)
    }

    @Test func twoThatWaitForTheSameDoNotLoseASlot() {
        let rig = ReorderRig()
        rig.accept(0)
        #expect(rig.accept(2, after: 1) == .held)
        #expect(rig.accept(3, after: 1) == .delivered)
        rig.wait(.seconds(1))
        #expect(rig.delivered == [0, 3, 2] && rig.pool.inUse == 0)
    }

    /// A malicious peer may name any sequence.
    @Test func absurdSequencesHarmNothing() {
        let rig = ReorderRig()
        rig.accept(0)
        for sequence: UInt64 in [.max, .max - 1, 1 << 63, 1 << 62] {
            #expect(rig.accept(sequence, after: sequence - 1) == .stale)
        }
        rig.accept(2, after: 1)
        #expect(rig.accept(1 << 62 - 1, after: 1 << 62 - 2) == .held)
        rig.prove(.max)
        rig.prove(1 << 62)
        #expect(rig.accept(5, after: 4) == .stale)
        rig.wait(.seconds(1))
        #expect(rig.buffer.held == 0 && rig.pool.inUse == 0)
    }

    /// A peer that leaves out 65,535 sequences with each packet costs a look at words, not at each of them.
    @Test func aProofCostsNoLookAtEverySequence() {
        let rig = ReorderRig()
        rig.repair = .milliseconds(100)
        rig.accept(0)
        var sequence: UInt64 = 70_000
        for _ in 0..<100 {
            rig.accept(sequence, after: sequence - 1, hold: .milliseconds(500))
            sequence += 65_535
            rig.accept(sequence)
            rig.prove(sequence)
        }
        #expect(rig.buffer.held > 0 && rig.buffer.examined <= 100 * 1026)
    }

    /// Sequences for which the window has one bit for several are proven lost only once all of them are.
    @Test func whatIsBelowTheWindowIsNotProven() {
        let rig = ReorderRig()
        rig.accept(0)
        var sequences: [UInt64] = []
        for round in UInt64(1)...20 {
            let sequence = round * 65_536 + 10
            rig.accept(sequence, after: sequence - 5, hold: .milliseconds(500))
            sequences.append(sequence)
        }
        // All of them at once have grown the window to its maximum: four rounds.
        #expect(rig.buffer.held == 20)
        rig.prove(20 * 65_536 + 11)
        #expect(rig.delivered == [0] + sequences.suffix(4))
        rig.wait(.milliseconds(500))
        #expect(Set(rig.delivered) == Set([0] + sequences) && rig.buffer.held == 0)
    }

    /// Without memory for more, two waiting packets make room for one, and then it continues without holding any.
    @Test func withoutMemoryTheOldestGo() {
        let rig = ReorderRig()
        rig.accept(0)
        for sequence in stride(from: UInt64(2), to: 42, by: 2) { rig.accept(sequence, after: sequence - 1) }
        #expect(rig.buffer.held == 20)
        rig.mayHold = false
        var held = rig.buffer.held
        for sequence in stride(from: UInt64(42), to: 82, by: 2) {
            rig.accept(sequence, after: sequence - 1)
            #expect(rig.buffer.held < held || held == 0)
            held = rig.buffer.held
        }
        #expect(rig.buffer.held <= 1)
        rig.mayHold = true
        rig.accept(100, after: 99)
        #expect(rig.buffer.held >= 1)
        rig.wait(.seconds(1))
        #expect(rig.delivered.count == 42 && rig.pool.inUse == 0)
    }

    /// At 5 Gbit/s a packet that arrives 300 ms later than those after it is neither a duplicate nor too old.
    @Test func theWindowFollowsTheRate() {
        let rig = ReorderRig()
        rig.accept(0)
        var sequence: UInt64 = 1
        let late = UInt64(300_000)
        // 450,000 packets a second.
        for _ in 0..<1000 {
            for _ in 0..<450 where sequence != late {
                rig.accept(sequence)
                sequence += 1
            }
            if sequence == late { sequence += 1 }
            rig.wait(.milliseconds(1))
            if sequence > late + 135_000 { break }
        }
        #expect(sequence > late + 135_000)
        #expect(rig.accept(late) == .delivered)
    }

    /// Sequences that are all multiples of a large power of two wait like any others, and memory follows their number.
    @Test func whatLiesFarApartWaitsLikeAnythingElse() {
        let rig = ReorderRig()
        rig.accept(0)
        for i in UInt64(1)...3000 {
            #expect(rig.accept(i * 4096, after: i * 4096 - 2048, hold: .milliseconds(500)) == .held)
        }
        #expect(rig.buffer.held == 3000)
        rig.wait(.milliseconds(500))
        #expect(rig.delivered.count == 3001 && rig.pool.inUse == 0)
    }

    /// A peer that chooses its sequences so that all are in one hash chain is not waited for.
    @Test func chosenSequencesMakeNoLongChain() {
        // The hash is a product with this odd number, so multiples of its inverse have small products.
        let factor: UInt64 = 0x9E37_79B9_7F4A_7C15
        var inverse: UInt64 = 1
        for _ in 0..<6 { inverse = inverse &* (2 &- factor &* inverse) }
        let predecessors = (UInt64(0)..<4000).map { $0 &* inverse }.filter { $0 > 100 && $0 < 1 << 61 }
            .sorted()
        let rig = ReorderRig()
        rig.accept(0)
        for predecessor in predecessors {
            rig.accept(predecessor + 1, after: predecessor, hold: .milliseconds(500))
        }
        #expect(predecessors.count > 300 && rig.buffer.held <= 40, "\(rig.buffer.held)")
        rig.wait(.milliseconds(500))
        #expect(rig.delivered.count == predecessors.count + 1 && rig.pool.inUse == 0)
    }

    // MARK: - Constant delay

    /// Packets that ask to be kept leave when their time has come, at the distances at which they arrived.
    @Test func packetsAreKeptUntilTheirTime() {
        let rig = ReorderRig()
        rig.accept(0)
        for sequence in UInt64(1)...10 {
            #expect(rig.accept(sequence, after: sequence - 1, keeping: .milliseconds(20)) == .held)
            rig.wait(.milliseconds(1))
        }
        #expect(rig.delivered == [0])
        rig.wait(.milliseconds(11))
        #expect(rig.delivered == [0, 1])
        rig.wait(.milliseconds(4))
        #expect(rig.delivered == [0, 1, 2, 3, 4, 5])
        rig.wait(.milliseconds(5))
        #expect(rig.delivered == Array(0...10) && rig.buffer.nextDeadline() == .never)
        #expect(rig.buffer.counters.expired == 0, "none of them missed anything")
    }

    /// A packet of the slow path, which need not be kept, waits for its predecessor, which is kept.
    @Test func aKeptPacketIsNotOvertaken() {
        let rig = ReorderRig()
        rig.accept(0)
        rig.accept(1, after: 0, keeping: .milliseconds(20))
        #expect(rig.accept(2, after: 1) == .held)
        // Another flow does not wait.
        #expect(rig.accept(3) == .delivered)
        rig.wait(.milliseconds(21))
        #expect(rig.delivered == [0, 3, 1, 2] && rig.buffer.counters.expired == 0)
    }

    /// A packet that others wait for already is late as it is: it is kept no longer than they are.
    @Test func aRepairIsNotKept() {
        let rig = ReorderRig()
        rig.accept(0)
        rig.accept(2, after: 1, keeping: .milliseconds(20))
        rig.wait(.milliseconds(30))
        #expect(rig.delivered == [0])
        #expect(rig.accept(1, after: 0, keeping: .milliseconds(20)) == .delivered)
        #expect(rig.delivered == [0, 1, 2])
        // Nor is one whose successor has been delivered.
        rig.accept(4, after: 3, hold: .milliseconds(10))
        rig.wait(.milliseconds(10))
        #expect(rig.accept(3, after: 2, keeping: .milliseconds(20)) == .delivered)
    }

    /// Packets are let go, in order, when there is no memory to keep them.
    @Test func keptPacketsMakeRoom() {
        let rig = ReorderRig(bound: 8)
        rig.accept(0)
        for sequence in UInt64(1)...20 {
            rig.accept(sequence, after: sequence - 1, keeping: .milliseconds(20))
        }
        #expect(rig.buffer.held <= 8 && rig.delivered == Array(0..<UInt64(rig.delivered.count)))
        rig.wait(.milliseconds(21))
        #expect(rig.delivered == Array(0...20))
    }
}
