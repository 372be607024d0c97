import LinkModel
import Packet
import Testing

@testable import Scheduler

@Suite struct LossBoundTests {
    private var now = Instant(nanoseconds: 10_000_000_000)
    private var bound = LossBound()

    /// One window of four ACKs and 100 datagrams, of which so many are lost, as the last `reports` ACKs tell.
    private mutating func window(
        _ lost: Int, reports: Int = 4, isProbing: Bool = false, hasQueue: Bool = false
    ) -> LossBound.Verdict {
        var verdict = LossBound.Verdict.usual
        for ack in 0..<4 {
            now = now + .milliseconds(10)
            let share = ack < 4 - reports ? 0 : lost / reports
            verdict = bound.count(
                Arrivals(
                    sent: now, received: now, bytes: 0, left: 0, acknowledged: 25 - share, lost: share,
                    isStarved: false),
                roundTrip: .milliseconds(40), isProbing: isProbing, hasQueue: hasQueue, patience: 2, now: now)
        }
        return verdict
    }

    /// Windows without loss, until little counts as excessive.
    private mutating func settle() { for _ in 0..<100 { _ = window(0) } }

    @Test mutating func oneBurstIsNoCongestion() {
        settle()
        #expect(window(8) == .usual)
        #expect(window(0) == .usual)
        #expect(window(8) == .usual)
        #expect(bound.ceiling == nil)
    }

    @Test mutating func whatOneAckReportsIsABurst() {
        settle()
        for _ in 0..<10 { #expect(window(20, reports: 1) == .usual) }
        #expect(bound.ceiling == nil)
    }

    @Test mutating func lossThatEndsWithTheRateBoundsIt() {
        settle()
        _ = window(20)
        #expect(window(20) == .excessive(share: 0.2))
        bound.reduce(from: 1000, to: 800, share: 0.2, now: now)
        #expect(window(0) == .usual)
        #expect(bound.ceiling == 800 && bound.gain(isOpen: true, now: now)! < 1)
        now = now + .seconds(1)
        #expect(bound.gain(isOpen: true, now: now)! > 1 && bound.gain(isOpen: false, now: now)! < 1)
        bound.learn(delivered: 900, now: now)
        #expect(bound.ceiling == 900 && bound.gain(isOpen: true, now: now)! < 1)
        now = now + .seconds(60)
        bound.learn(delivered: 1000, now: now)
        #expect(bound.ceiling == nil)
    }

    @Test mutating func lossThatStaysIsTheRadios() {
        settle()
        _ = window(20)
        #expect(window(20) == .excessive(share: 0.2))
        for rate in [800.0, 640, 512] {
            bound.reduce(from: rate / 0.8, to: rate, share: 0.2, now: now)
            if rate > 512 { #expect(window(20) == .excessive(share: 0.2)) }
        }
        #expect(window(20) == .unrelated(before: 1000))
        #expect(bound.ceiling == nil)
        for _ in 0..<10 { #expect(window(20) == .usual) }
    }

    @Test mutating func thePauseDoublesToHalfAMinute() {
        settle()
        var longest = Interval.zero
        for _ in 0..<12 {
            bound.reduce(from: 1000, to: 800, share: 0.2, now: now)
            let failedAt = now
            #expect(window(0) == .usual)
            for _ in 0..<4000 where bound.gain(isOpen: true, now: now)! < 1 { now = now + .milliseconds(10) }
            #expect(now - failedAt >= longest)
            longest = now - failedAt
        }
        #expect(longest > .seconds(29) && longest < .seconds(31))
    }

    @Test mutating func aQueueExplainsLoss() {
        settle()
        for _ in 0..<5 { #expect(window(20, hasQueue: true) == .usual) }
        bound.reduce(from: 1000, to: 800, share: 0.2, now: now)
        _ = window(0, hasQueue: true)
        #expect(bound.ceiling == nil)
    }

    @Test mutating func lossesTakenBackDoNotCount() {
        settle()
        for _ in 0..<20 {
            now = now + .milliseconds(10)
            let (lost, back) = (30, -30)
            for change in [lost, back] {
                let verdict = bound.count(
                    Arrivals(
                        sent: now, received: now, bytes: 0, left: 0, acknowledged: 20, lost: change,
                        isStarved: false),
                    roundTrip: .seconds(1), isProbing: false, hasQueue: false, patience: 1, now: now)
                #expect(verdict == .usual)
            }
        }
    }
}
