import LinkModel
import Packet
import Scheduler
import TestSupport
import Testing

@Suite struct WindowedExtremumTests {
    /// The three samples are an approximation: never beyond the true extremum of the window, and never worse than that of
    /// its newest quarter.
    @Test(arguments: Array(UInt64(1)...40))
    func staysBetweenTheExtremaOfWindowAndItsQuarter(_ seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let end = seed % 2 == 0 ? WindowedExtremum.End.maximum : .minimum
        let window = Interval.milliseconds(100)
        var filter = WindowedExtremum(window: window, keeps: end)
        #expect(filter.value == nil)
        var samples: [(value: Int64, time: Instant)] = []
        var now = Instant(nanoseconds: 1)
        let step = 1 + random.below(5_000_000)
        for round in 0..<4000 {
            now = now + Interval(nanoseconds: Int64(random.below(step)))
            let drift = Int64(round / 50 % 20) * (random.chance(0.5) ? 1 : 3)
            let value = Int64(random.below(1000)) + drift * 40
            filter.record(value, now: now)
            samples.append((value, now))
            samples.removeAll { now - $0.time > window }
            let all = samples.map(\.value)
            let quarter = samples.filter { now - $0.time <= window / 4 }.map(\.value)
            let extremum = filter.value
            let kept = try #require(extremum)
            if end == .maximum {
                try #require(kept <= all.max()! && kept >= quarter.max()!, "seed \(seed), round \(round)")
            } else {
                try #require(kept >= all.min()! && kept <= quarter.min()!, "seed \(seed), round \(round)")
            }
        }
    }

    @Test func aSampleCountsForAWindowAndNoLonger() {
        var filter = WindowedExtremum(window: .seconds(1), keeps: .maximum)
        let start = Instant(nanoseconds: 5_000_000_000)
        filter.record(100, now: start)
        for i in Int64(1)...10 { filter.record(50, now: start + .milliseconds(100 * i)) }
        #expect(filter.value == 100)
        filter.record(50, now: start + .milliseconds(1001))
        #expect(filter.value == 50)
        filter.reset(to: 7, now: start + .seconds(2))
        #expect(filter.value == 7)
        filter.record(3, now: start + .seconds(9))
        #expect(filter.value == 3, "after a pause of more than the window nothing old counts")
    }
}
