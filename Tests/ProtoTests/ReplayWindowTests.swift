import Packet
import Testing

@testable import Proto

@Suite struct ReplayWindowTests {
    @Test func startsEmpty() {
        var window = ReplayWindow()
        let wasEmpty = window.isEmpty
        let isFresh = window.isFresh(0)
        window.mark(0)
        let isFreshAgain = window.isFresh(0)
        let (isEmpty, highest) = (window.isEmpty, window.highest)
        #expect(wasEmpty && isFresh && !isFreshAgain && !isEmpty && highest == 0)
    }

    /// The window is exactly 8192 numbers wide, whatever the position of the highest one in its word.
    @Test func width() {
        for highest in [UInt64(8191), 8192, 8255, 20_000, Wire.maximumPacketNumber] {
            var window = ReplayWindow()
            window.mark(highest)
            let lowest = highest - 8191
            let isLowestFresh = window.isFresh(lowest)
            let isBelowFresh = lowest > 0 && window.isFresh(lowest - 1)
            window.mark(lowest)
            let isLowestFreshAgain = window.isFresh(lowest)
            #expect(isLowestFresh && !isBelowFresh && !isLowestFreshAgain, "\(highest)")
        }
    }

    @Test func lastNumber() {
        var window = ReplayWindow()
        window.mark(Wire.maximumPacketNumber)
        window.mark(Wire.maximumPacketNumber + 1)
        let isFresh = window.isFresh(Wire.maximumPacketNumber + 1)
        let isMaximumFresh = window.isFresh(.max)
        let highest = window.highest
        #expect(!isFresh && !isMaximumFresh && highest == Wire.maximumPacketNumber)
    }

    /// Compares with a set of all numbers that arrived, with steps from small to larger than the window.
    @Test(arguments: [UInt64(1), 2, 3, 4])
    func oracle(seed: UInt64) {
        let spreads: [UInt64] = [3, 70, 9000, 20_000]
        let steps: [UInt64] = [1, 1, 1, 64, 200, 8191, 8192, 8193, 30_000]
        var random = SplitMix(seed)
        var window = ReplayWindow()
        var seen: Set<UInt64> = []
        var highest: UInt64 = 0
        for step in 0..<60_000 {
            let spread = spreads[Int(random.next() % UInt64(spreads.count))]
            let ahead = steps[Int(random.next() % UInt64(steps.count))]
            var number = highest
            if random.next() & 1 == 0 {
                number += random.next() % (ahead + 1)
            } else {
                number -= random.next() % (min(highest, spread) + 1)
            }
            let isTooOld = !seen.isEmpty && number <= highest && highest - number >= 8192
            let expected = !isTooOld && !seen.contains(number)
            let isFresh = window.isFresh(number)
            #expect(isFresh == expected, "seed \(seed) step \(step) number \(number) highest \(highest)")
            // A datagram that fails to open is checked but not marked.
            if isFresh && random.next() % 10 > 0 || step == 0 {
                window.mark(number)
                seen.insert(number)
                highest = max(highest, number)
                if step % 1000 == 0 { seen = seen.filter { highest - $0 < 8192 } }
            }
        }
        let reported = window.highest
        #expect(reported == highest)
    }

    /// An ACK's map matches the arrivals, whatever the position of the highest number in its word.
    @Test(arguments: [UInt64(1), 2, 3]) func mapOfWhatArrived(seed: UInt64) {
        var random = SplitMix(seed)
        var window = ReplayWindow()
        var seen: Set<UInt64> = []
        var highest: UInt64 = 0
        for _ in 0..<3000 {
            let number = highest + random.next() % 4 - min(highest, random.next() % 3)
            window.mark(number)
            seen.insert(number)
            highest = max(highest, number)
            for top in [highest, highest - min(highest, 257), highest - min(highest, random.next() % 2000)] {
                let map = window.map(below: top)
                let words = [map.0, map.1, map.2, map.3]
                for distance in UInt64(0)..<256 {
                    let isSaid = words[Int(distance / 64)] >> (distance % 64) & 1 == 1
                    let isTrue = top > distance && seen.contains(top - 1 - distance)
                    if isSaid != isTrue { Issue.record("below \(top), \(distance)") }
                }
            }
        }
        #expect(highest > 2000)
    }
}
