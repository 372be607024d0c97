import LinkModel
import Packet
import Scheduler
import TestSupport
import Testing

@Suite struct RateModelTests {
    /// Whatever a lying peer claims: finite, positive rates and no trap.
    @Test(arguments: Array(UInt64(1)...20))
    func absurdReportsGiveFiniteRates(_ seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        var model = RateModel()
        var rtt = RoundTripTime()
        var delay = DelayModel()
        var now = Instant(nanoseconds: 10_000_000_000)
        func absurd() -> UInt64 {
            let values: [UInt64] = [0, 1, .max, .max - 1, 1 << 62, 1 << 63, now.nanoseconds, random.next()]
            return values[random.below(values.count)]
        }
        for round in 0..<3000 {
            now = now + .microseconds(Int64(random.below(100_000)))
            let sent = now - .milliseconds(Int64(random.below(10_000)))
            let received = Instant(nanoseconds: absurd())
            rtt.record(.microseconds(Int64(random.below(10_000_000))), now: now)
            delay.record(received - sent, now: now)
            model.record(
                sent: sent, received: received, bytes: absurd(),
                left: UInt32(truncatingIfNeeded: absurd()), starved: random.chance(0.5),
                loss: Double(random.below(2)), delay: delay, rtt: rtt, now: now)
            let rates = [model.plannedRate(rtt), model.pacingRate(rtt), model.rate ?? 1]
            try #require(
                rates.allSatisfy { $0.isFinite && $0 >= 0 }, "seed \(seed), round \(round): \(rates)")
            try #require(model.pacingRate(rtt) > 0 && model.inflightLimit(rtt) > 0)
            if random.chance(0.01) { model.halve(now: now) }
        }
    }

    @Test func aCapIsHonoured() {
        var model = RateModel()
        model.cap = 50_000
        #expect(model.plannedRate(RoundTripTime()) <= 50_000 && model.pacingRate(RoundTripTime()) <= 50_000)
    }

    @Test func delayBeyondReasonIsIgnored() {
        var delay = DelayModel()
        let now = Instant(nanoseconds: 1)
        for absurd in [Int64.max, .min, 1 << 60, -(1 << 60)] {
            delay.record(Interval(nanoseconds: absurd), now: now)
        }
        #expect(delay.isKnown == false)
        delay.record(Interval(nanoseconds: 1 << 60 - 1), now: now)
        delay.record(Interval(nanoseconds: 1 - 1 << 60), now: now)
        delay.record(.milliseconds(5), now: now + .seconds(40))
        #expect(delay.isKnown && delay.minimum == .milliseconds(5) && delay.queueing == .zero)
    }

    /// A peer that reports no arrivals for a while, and then all of them at once, is credited with no more than
    /// it was sent.
    @Test func whatIsHoardedIsNoRate() {
        var model = RateModel()
        var rtt = RoundTripTime()
        var delay = DelayModel()
        var now = Instant(nanoseconds: 10_000_000_000)
        rtt.record(.milliseconds(10), now: now)
        var left: UInt32 = 0
        for step in UInt64(1)...600 {
            now = now + .milliseconds(5)
            left += 5000
            delay.record(.milliseconds(5), now: now)
            // 1 MB/s is sent; 600 kB a second remain unreported until they are reported together.
            let hoard: UInt64 = step > 590 ? 1_770_000 : 0
            model.record(
                sent: now, received: now, bytes: step * 2000 + hoard, left: left, starved: false, loss: 0,
                delay: delay, rtt: rtt, now: now)
        }
        #expect((model.rate ?? 0) < 1_300_000, "\(model.rate ?? 0) B/s")
    }
}
