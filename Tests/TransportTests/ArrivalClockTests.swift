import Packet
import Testing
import Transport

@Suite struct ArrivalClockTests {
    private let start = Instant(nanoseconds: 40_000_000_000_000)
    private let wall: UInt64 = 1_800_000_000_000_000_000

    /// Reads the clocks `elapsed` after the start, with the wall clock set forward by `step`.
    private func read(
        _ clock: inout ArrivalClock, after elapsed: Interval = .zero, step: Int64 = 0,
        taking length: Interval = .microseconds(1)
    ) {
        clock.read(
            before: start + elapsed,
            wall: UInt64(Int64(wall) + elapsed.nanoseconds + step + length.nanoseconds / 2),
            after: start + elapsed + length)
    }

    /// How long before `now`, in microseconds, a datagram stamped `microseconds` before that counts as arrived.
    private func age(
        _ clock: ArrivalClock, _ microseconds: Int64, after elapsed: Interval = .zero, step: Int64 = 0
    ) -> Int64 {
        let now = start + elapsed
        let stamp = UInt64(Int64(wall) + elapsed.nanoseconds + step - microseconds * 1000)
        return (now - clock.arrival(stamp, now: now)).microseconds
    }

    @Test func stampsBecomeTimesOfTheDaemonsClock() {
        var clock = ArrivalClock()
        #expect(age(clock, 300) == 0, "nothing is known before the first reading")
        read(&clock)
        #expect(age(clock, 300) == 300)
        #expect(clock.arrival(0, now: start) == start, "no stamp")
        #expect(age(clock, -300) == 0, "after the turn began")
        #expect(age(clock, 1_000_000) == 1_000_000)
        #expect(age(clock, 1_000_001) == 0, "no socket holds a datagram for longer than a second")
        #expect(clock.arrival(.max, now: start) == start && clock.arrival(1, now: start) == start)
    }

    @Test(arguments: [Int64(-3_600_000_000_000), -5_000_000, 5_000_000, 3_600_000_000_000])
    func aStepOfTheWallClockCostsOneTurnsStamps(step: Int64) {
        var clock = ArrivalClock()
        read(&clock)
        read(&clock, after: .milliseconds(10), step: step)
        // Stamps from before and after the step.
        #expect(age(clock, 300, after: .milliseconds(10)) == 0)
        #expect(age(clock, 300, after: .milliseconds(10), step: step) == 0)
        read(&clock, after: .milliseconds(20), step: step)
        #expect(age(clock, 300, after: .milliseconds(20), step: step) == 300)
    }

    /// The thread loses its processor between two readings.
    @Test func anInterruptedReadingChangesNothing() {
        var clock = ArrivalClock()
        read(&clock, taking: .milliseconds(8))
        #expect(age(clock, 300) == 0, "the first says too little")
        read(&clock, after: .milliseconds(10))
        read(&clock, after: .milliseconds(20), taking: .milliseconds(8))
        #expect(age(clock, 300, after: .milliseconds(20)) == 300)
        // Not even then is a step overlooked.
        read(&clock, after: .milliseconds(30), step: 60_000_000_000, taking: .milliseconds(8))
        #expect(age(clock, 300, after: .milliseconds(30), step: 60_000_000_000) == 0)
    }
}
