import Packet
import Testing

@Suite struct InstantTests {
    @Test func theClockSaturatesAtItsEnds() {
        #expect(Instant.never + .seconds(1) == .never)
        #expect(Instant.latest + .milliseconds(1) == .never)
        #expect(Instant.zero - .seconds(1) == .zero)
        #expect(Instant(nanoseconds: 5) + Interval(nanoseconds: -7) == .zero)
        #expect(Instant(nanoseconds: 5) - Interval(nanoseconds: 3) == Instant(nanoseconds: 2))
        #expect(Instant.zero < .latest && .latest < .never)
    }

    @Test func differencesAreSigned() {
        let a = Instant(nanoseconds: 1_000_000)
        let b = Instant(nanoseconds: 3_000_000)
        #expect(b - a == .milliseconds(2) && a - b == .milliseconds(-2))
        #expect((b - a).microseconds == 2000 && (b - a).milliseconds == 2 && (b - a).seconds == 0.002)
        #expect(b.microseconds == 3000)
    }
}
