import LinkModel
import Packet
import Scheduler
import TestSupport
import Testing

@Suite struct PacerTests {
    /// Queried at random times, it sends at most rate × time + 1 ms of the rate + one datagram in any stretch
    /// of time.
    @Test(arguments: Array(UInt64(1)...10))
    func neverBurstsMoreThanAMillisecond(_ seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let rate = [50_000.0, 1_250_000, 12_500_000, 125_000_000][random.below(4)]
        var pacer = Pacer()
        var sent: [(time: Instant, bytes: Int)] = []
        var now = Instant(nanoseconds: 1_000_000_000)
        for _ in 0..<400 {
            now = now + .microseconds(Int64(random.below(random.chance(0.1) ? 20_000 : 500)))
            while pacer.allows(now) {
                let size = 40 + random.below(1460)
                pacer.book(size, rate: rate, now: now)
                sent.append((now, size))
            }
            #expect(pacer.readyAt > now && pacer.wait(now) == pacer.readyAt - now)
        }
        var sum = 0
        var after: [Int] = [0]
        for datagram in sent {
            sum += datagram.bytes
            after.append(sum)
        }
        for first in stride(from: 0, to: sent.count, by: 7) {
            for last in stride(from: first, to: min(first + 400, sent.count), by: 3) {
                let time = (sent[last].time - sent[first].time).seconds
                let bytes = Double(after[last + 1] - after[first])
                try #require(bytes <= rate * (time + 0.001) + 1500, "seed \(seed), \(first)...\(last)")
            }
        }
    }

    @Test func keepsItsRateWhenServedOften() {
        var pacer = Pacer()
        var bytes = 0
        let start = Instant(nanoseconds: 1_000_000_000)
        for tick in Int64(0)..<4000 {
            let now = start + .microseconds(250 * tick)
            while pacer.allows(now) {
                pacer.book(1000, rate: 1_000_000, now: now)
                bytes += 1000
            }
        }
        #expect((998_000...1_002_000).contains(bytes), "\(bytes) bytes in a second at 1 MB/s")
    }

    /// However high the estimated rate of the path is.
    @Test func aBurstHasABound() {
        for rate in [2e9, 12.5e9] {
            var pacer = Pacer()
            let now = Instant(nanoseconds: 1_000_000_000)
            var bytes = 0
            while pacer.allows(now) && bytes < 100_000_000 {
                pacer.book(1400, rate: rate, now: now)
                bytes += 1400
            }
            #expect(bytes < 1_100_000, "\(bytes) bytes at once")
        }
    }
}
