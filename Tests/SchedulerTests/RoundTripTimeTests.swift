import Packet
import Scheduler
import Testing

@Suite struct RoundTripTimeTests {
    /// RFC 6298 section 2 by hand: 100, 140, 80 ms.
    @Test func followsRFC6298() {
        var rtt = RoundTripTime()
        #expect(!rtt.isKnown && rtt.answerTimeout == .seconds(3))
        let now = Instant(nanoseconds: 1_000_000_000)
        rtt.record(.milliseconds(100), now: now)
        #expect(rtt.smoothed == .milliseconds(100) && rtt.variation == .milliseconds(50))
        #expect(rtt.answerTimeout == .milliseconds(100 + 4 * 50 + 25))
        rtt.record(.milliseconds(140), now: now)
        // RTTVAR = 3/4 50 + 1/4 |100 - 140| = 47.5, SRTT = 7/8 100 + 1/8 140 = 105
        #expect(rtt.variation == .microseconds(47_500) && rtt.smoothed == .milliseconds(105))
        rtt.record(.milliseconds(80), now: now)
        // RTTVAR = 3/4 47.5 + 1/4 25 = 41.875, SRTT = 7/8 105 + 1/8 80 = 101.875
        #expect(rtt.variation == .microseconds(41_875) && rtt.smoothed == .microseconds(101_875))
        #expect(rtt.latest == .milliseconds(80) && rtt.minimum == .milliseconds(80))
    }

    @Test func theMinimumMayBeMeasuredAnew() {
        var rtt = RoundTripTime()
        rtt.restartFloor(now: .zero)
        #expect(rtt.minimum == .zero)
        rtt.record(.milliseconds(10), now: .zero)
        rtt.record(.milliseconds(30), now: .zero)
        #expect(rtt.minimum == .milliseconds(10))
        rtt.restartFloor(now: .zero)
        #expect(rtt.minimum == .milliseconds(30))
    }

    @Test func theTimeoutHasAFloor() {
        var rtt = RoundTripTime()
        for i in UInt64(0)..<100 { rtt.record(.milliseconds(1), now: Instant(nanoseconds: i)) }
        #expect(rtt.answerTimeout == .milliseconds(50))
        rtt.record(.zero, now: .zero)
        rtt.record(.seconds(-5), now: .zero)
        #expect(rtt.latest == .microseconds(1) && rtt.minimum == .microseconds(1))
    }
}
