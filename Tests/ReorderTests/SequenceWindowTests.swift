import LinkModel
import TestSupport
import Testing

@testable import Reorder

@Suite struct SequenceWindowTests {
    /// Compares with a set of everything seen, with steps from 1 to several spans.
    @Test(arguments: [UInt64(1), 2, 3, 4])
    func remembersWhatASetDoes(_ seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        var window = SequenceWindow()
        var seen: Set<UInt64> = []
        let span = SequenceBits.shortest
        for round in 0..<30_000 {
            let sequence: UInt64
            switch random.below(100) {
            case 0: sequence = window.top &+ span &- 2 &+ UInt64(random.below(4))
            case 1 where random.chance(0.1): sequence = window.top &+ span * UInt64(1 + random.below(3))
            case 2...40: sequence = window.top + UInt64(random.below(200))
            default:
                sequence =
                    window.top > 70_000
                    ? window.top - UInt64(random.below(70_000)) : UInt64(random.below(300))
            }
            for asked in [sequence, sequence + 1, sequence &- min(sequence, 1), window.bottom, window.top] {
                let expected = asked < window.bottom || seen.contains(asked)
                try #require(
                    window.contains(asked) == expected, "seed \(seed), round \(round), sequence \(asked)")
            }
            let top = max(window.top, sequence + 1)
            window.insert(sequence)
            seen.insert(sequence)
            try #require(window.top == top && window.bottom == (top > span ? top - span : 0))
        }
    }

    @Test func aJumpOfASpanForgetsNothingAndInventsNothing() {
        for jump in [SequenceBits.shortest - 1, SequenceBits.shortest, SequenceBits.shortest + 1, 1 << 61] {
            var window = SequenceWindow()
            for sequence in UInt64(0)..<200 { window.insert(sequence) }
            window.insert(199 + jump)
            #expect(window.contains(199 + jump) == true)
            for sequence in UInt64(100)..<300 where sequence != 199 + jump {
                let expected = sequence < window.bottom || sequence < 200
                #expect(window.contains(sequence) == expected, "jump \(jump), sequence \(sequence)")
            }
            #expect(window.contains(200 + jump) == false && window.contains(198 + jump) == false)
        }
    }

    @Test func whatIsForgottenCountsAsSeen() {
        var window = SequenceWindow()
        window.forget()
        #expect(window.contains(0) == false, "there was nothing to forget")
        for sequence in [UInt64(0), 2, 70_000, 70_002] { window.insert(sequence) }
        window.forget()
        #expect(window.bottom == 70_003 && window.top == 70_003)
        for sequence in [UInt64(0), 1, 69_999, 70_001, 70_002] { #expect(window.contains(sequence) == true) }
        #expect(window.contains(70_003) == false && window.contains(200_000) == false)
        window.insert(70_001)
        window.insert(70_005)
        #expect(window.contains(70_005) == true && window.contains(70_004) == false)
        window.insert(70_005 + SequenceBits.shortest)
        #expect(window.bottom == 70_006 && window.contains(70_006) == false)
    }

    /// A window keeps its contents when it grows, and drops nothing until twice as much has arrived.
    @Test func aWindowThatGrowsKeepsWhatItKnows() {
        for top in [UInt64(1000), 65536, 70_001, 200_000] {
            var window = SequenceWindow()
            var sequence: UInt64 = 0
            while sequence < top {
                window.insert(sequence)
                sequence += 3
            }
            let (bottom, end) = (window.bottom, window.top)
            window.grow()
            #expect(window.span == 2 * SequenceBits.shortest && window.bottom == bottom && window.top == end)
            var wrong = 0
            for asked in bottom..<end where window.contains(asked) != (asked % 3 == 0) { wrong += 1 }
            #expect(wrong == 0, "top \(top)")
            window.insert(bottom + 2 * SequenceBits.shortest)
            #expect(window.contains(bottom + 3 - bottom % 3) == true && window.bottom == bottom + 1)
        }
        var window = SequenceWindow()
        for _ in 0..<5 { window.grow() }
        #expect(window.span == SequenceBits.longest)
    }
}
