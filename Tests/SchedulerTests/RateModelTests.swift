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
                Arrivals(
                    sent: sent, received: received, bytes: absurd(),
                    left: UInt32(truncatingIfNeeded: absurd()), acknowledged: random.below(300),
                    lost: random.below(70_000) - 35_000, isStarved: random.chance(0.5)),
                delay: delay, rtt: rtt, now: now)
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
                Arrivals(
                    sent: now, received: now, bytes: step * 2000 + hoard, left: left, acknowledged: 2,
                    lost: 0,
                    isStarved: false), delay: delay, rtt: rtt, now: now)
        }
        #expect((model.rate ?? 0) < 1_300_000, "\(model.rate ?? 0) B/s")
    }

    // MARK: - A path whose limits are known

    /// The rate of a link changes, in Mbit/s: it is known two round trips later, to a seventh.
    @Test(arguments: [(50.0, 20.0), (50, 40), (100, 30)])
    func aLowerRateIsKnownWithinTwoRoundTrips(_ before: Double, _ after: Double) {
        var path = FluidPath(megabits: before)
        path.run(for: .seconds(3))
        #expect(abs(path.megabits - before) < before * 0.05, "\(path.megabits)")
        path.rate = after * 125_000
        // Two round trips with the queue of 100 ms that fills at once, and the time over which it is measured.
        path.run(for: .milliseconds(2 * 140 + 40))
        #expect(abs(path.megabits - after) < after / 7, "\(before) → \(after): \(path.megabits)")
    }

    /// A link that becomes sixteen times slower delivers late what left at once.
    @Test func aFarLowerRateIsKnown() {
        var path = FluidPath(megabits: 80, depth: .seconds(1))
        path.run(for: .seconds(3))
        path.rate = 5 * 125_000
        path.run(for: .milliseconds(1500))
        #expect(path.megabits < 7, "\(path.megabits)")
    }

    /// The delays of PINGs behind an outage's queue are not those of an idle path.
    @Test func anOutageIsNoIdleSpread() {
        var delay = DelayModel()
        var now = Instant(nanoseconds: 1_000_000_000)
        for sample in [20, 22, 20, 21, 600, 450, 300, 150, 80, 21, 20] as [Int64] {
            now = now + .milliseconds(200)
            delay.record(.milliseconds(sample), idle: true, now: now)
        }
        #expect(delay.idleSpread < .milliseconds(5), "\(delay.idleSpread)")
    }

    @Test func aHigherRateIsKnownSoon() {
        var path = FluidPath(megabits: 20)
        path.run(for: .seconds(3))
        path.rate = 80 * 125_000
        path.run(for: .milliseconds(600))
        #expect(abs(path.megabits - 80) < 8, "\(path.megabits)")
    }

    /// The standing queue stays short, whatever the buffer's depth, and the link is used.
    @Test(arguments: [30, 100, 2000])
    func theQueueIsShort(_ depth: Int64) {
        var path = FluidPath(megabits: 50, depth: .milliseconds(depth))
        path.run(for: .seconds(3))
        for _ in 0..<20 {
            path.run(for: .milliseconds(100))
            #expect(path.standing < .milliseconds(12) && path.megabits > 48, "\(path.standing)")
        }
    }

    /// A policer or a buffer too shallow for a queue costs at most 1 % in the steady state.
    @Test(arguments: [(20.0, 60_000.0), (10, 1_000_000), (50, 10_000)])
    func aPolicerCostsLittle(_ megabits: Double, _ depth: Double) {
        var path = FluidPath(megabits: 100)
        path.policer = (megabits * 125_000, depth)
        path.run(for: .seconds(5))
        let before = path.totals
        path.run(for: .seconds(20))
        let (sent, lost) = (path.totals.sent - before.sent, path.totals.lost - before.lost)
        #expect(lost < sent * 0.01, "\(lost / sent)")
        #expect((sent - lost) / 20 > megabits * 125_000 * 0.95, "\((sent - lost) / 20)")
    }

    @Test func aShallowBufferCostsLittle() {
        var path = FluidPath(megabits: 50, depth: .milliseconds(3))
        path.run(for: .seconds(5))
        let before = path.totals
        path.run(for: .seconds(20))
        let (sent, lost) = (path.totals.sent - before.sent, path.totals.lost - before.lost)
        #expect(lost < sent * 0.01 && (sent - lost) / 20 > 50 * 125_000 * 0.95, "\(lost / sent)")
    }

    /// A policer that is lifted: the pause between trials is at most 30 s.
    @Test func aBoundIsTriedAgain() {
        var path = FluidPath(megabits: 100)
        path.policer = (20 * 125_000, 60_000)
        path.run(for: .seconds(20))
        #expect(path.megabits < 22)
        path.policer = nil
        path.run(for: .seconds(32))
        #expect(path.megabits > 90, "\(path.megabits)")
    }

    /// Loss that does not follow the rate is the radio's.
    @Test(arguments: [0.01, 0.05, 0.12])
    func randomLossIsNotCongestion(_ loss: Double) {
        var path = FluidPath(megabits: 50)
        path.run(for: .seconds(3))
        path.loss = loss
        path.run(for: .seconds(3))
        let before = path.totals
        path.run(for: .seconds(5))
        #expect((path.totals.sent - before.sent) / 5 > 50 * 125_000 * 0.93, "\(path.megabits)")
    }

    /// A longer route is no queue: the minimum is measured again, and the rate stays.
    @Test func aLongerRouteIsNoQueue() {
        var path = FluidPath(megabits: 50)
        path.run(for: .seconds(3))
        path.oneWay = path.oneWay + .milliseconds(30)
        path.run(for: .seconds(3))
        #expect(path.hasNewFloor && path.megabits > 45, "\(path.megabits)")
    }
}
