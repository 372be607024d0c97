import Scheduler
import Testing

@Suite struct AckMapTests {
    @Test(arguments: Array(UInt64(1)...20))
    func holdsWhatASetHolds(_ seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let start = UInt64(random.below(1000))
        var map = AckMap(highest: start)
        var seen: Set<UInt64> = [start]
        for round in 0..<3000 {
            let number: UInt64
            switch random.below(20) {
            case 0: number = map.highest + UInt64(random.below(600))
            case 1:
                number = map.highest + [63, 64, 65, 127, 128, 129, 255, 256, 257, 1 << 47][random.below(10)]
            case 2...9: number = map.highest + UInt64(random.below(4))
            default: number = map.highest - min(map.highest, UInt64(random.below(300)))
            }
            if number > 1 << 48 { break }
            map.insert(number)
            seen.insert(number)
            try #require(map.highest == seen.max())
            for asked in map.highest - min(map.highest, 300)...map.highest + 2 {
                let expected = seen.contains(asked) && asked + AckMap.span >= map.highest
                try #require(map.contains(asked) == expected, "seed \(seed), round \(round), number \(asked)")
            }
        }
    }

    @Test func wordsAreAsOnTheWire() {
        var map = AckMap(highest: 1000)
        for number: UInt64 in [999, 936, 935, 744] { map.insert(number) }
        // Bit i of word w is highest - 1 - (64 w + i).
        #expect(map.words == (1 | 1 << 63, 1, 0, 1 << 63))
        #expect(map == AckMap(highest: 1000, words: (1 | 1 << 63, 1, 0, 1 << 63)))
        #expect(map != AckMap(highest: 1001, words: map.words))
    }
}
