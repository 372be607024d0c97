import Packet
import Scheduler
import Testing

@Suite struct ThrottleTests {
    /// Bytes that pass in `seconds` when the throttle is asked every `step`.
    private func passed(_ rate: UInt64, every step: Interval, seconds: Int64, length: Int = 1400) -> Int {
        var throttle = Throttle(rate: rate)
        var now = Instant(nanoseconds: 1_000_000_000)
        let end = now + .seconds(seconds)
        var bytes = 0
        while now < end {
            while throttle.allows(now) {
                throttle.book(length, now: now)
                bytes += length
            }
            now = now + step
        }
        return bytes
    }

    @Test(arguments: [8_000, 125_000, 2_500_000, 125_000_000] as [UInt64])
    func theRateIsKept(_ rate: UInt64) {
        for step in [Interval.microseconds(100), .milliseconds(1), .milliseconds(9)] {
            let bytes = passed(rate, every: step, seconds: 10)
            #expect(abs(Double(bytes) / Double(rate) / 10 - 1) < 0.02, "\(rate): \(bytes)")
        }
    }

    @Test func aPauseAllowsAShortBurst() {
        var throttle = Throttle(rate: 1_000_000)
        let now = Instant(nanoseconds: 60_000_000_000)
        var burst = 0
        while throttle.allows(now) {
            throttle.book(1000, now: now)
            burst += 1
        }
        #expect(burst == 11, "10 ms, and the packet that ends them")
    }

    @Test func withoutARateAllPasses() {
        var throttle = Throttle()
        throttle.book(.max, now: .zero)
        #expect(!throttle.isOn && throttle.allows(.zero) && throttle.readyAt == .zero)
    }
}
