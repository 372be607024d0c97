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

    @Test func intervalsSaturate() {
        let longest = Interval(nanoseconds: .max)
        let shortest = Interval(nanoseconds: .min)
        #expect(Interval.seconds(.max) == longest && Interval.seconds(.min) == shortest)
        #expect(Interval.milliseconds(1 << 60) == longest && Interval.microseconds(-1 << 60) == shortest)
        #expect(shortest.magnitude == longest && Interval.seconds(-2).magnitude == .seconds(2))
        #expect(Instant.zero - shortest > .zero)
    }

    @Test func differencesAreSigned() {
        let a = Instant(nanoseconds: 1_000_000)
        let b = Instant(nanoseconds: 3_000_000)
        #expect(b - a == .milliseconds(2) && a - b == .milliseconds(-2))
        #expect((b - a).microseconds == 2000 && (b - a).milliseconds == 2 && (b - a).seconds == 0.002)
        #expect(b.microseconds == 3000)
    }
}
