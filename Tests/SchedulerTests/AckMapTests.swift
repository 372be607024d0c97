import LinkModel
import Scheduler
import TestSupport
import Testing

@Suite struct AckMapTests {
    @Test(arguments: Array(UInt64(1)...20))
    func holdsWhatASetHolds(_ seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        for round in 0..<100 {
            let start = UInt64(random.below(1000))
            let seen = Set((0..<1 + random.below(400)).map { _ in start + UInt64(random.below(600)) })
            let map = AckMap(of: seen)
            try #require(map.highest == seen.max())
            for asked in map.highest - min(map.highest, 300)...map.highest + 2 {
                let expected = seen.contains(asked) && asked + AckMap.span >= map.highest
                try #require(map.contains(asked) == expected, "seed \(seed), round \(round), number \(asked)")
            }
        }
    }

    @Test func wordsAreAsOnTheWire() {
        let map = AckMap(highest: 1000, words: (1 | 1 << 63, 1, 0, 1 << 63))
        // Bit i of word w is highest - 1 - (64 w + i).
        for number in UInt64(700)...1001 {
            #expect(map.contains(number) == [1000, 999, 936, 935, 744].contains(number), "\(number)")
        }
        #expect(map != AckMap(highest: 1001, words: map.words))
    }
}
