import Glibc
import Runtime
import Testing

/// Waiting for descriptors, deadlines and signals.
@Suite struct PollerTests {
    private enum Source: UInt64, PollSource {
        case first = 1
        case second

        var bits: UInt64 { rawValue }
        init?(bits: UInt64) { self.init(rawValue: bits) }
    }

    @Test func eventsComeWithTheirSource() throws {
        let poller = try Poller<Source>(capacity: 4)
        let first = try EventFD()
        let second = try EventFD()
        poller.watch(first.fileDescriptor, .first)
        poller.watch(second.fileDescriptor, .second)
        #expect(poller.wait(nanoseconds: 0) == 0)
        second.signal()
        #expect(poller.wait(nanoseconds: -1) == 1)
        #expect(poller.event(0)?.source == .second)
        second.clear()
        #expect(poller.wait(nanoseconds: 0) == 0)
        poller.change(first.fileDescriptor, .first, to: [])
        first.signal()
        #expect(poller.wait(nanoseconds: 1_000_000) == 0)
        poller.change(first.fileDescriptor, .first, to: .reading)
        #expect(poller.wait(nanoseconds: 1_000_000) == 1)
    }

    /// Edge-triggered: an event is not reported again until there is a new one.
    @Test func aChangeIsToldOnce() throws {
        let poller = try Poller<UInt64>(capacity: 4)
        let event = try EventFD()
        let isWatched = poller.watch(event.fileDescriptor, 7, for: .changes)
        #expect(isWatched)
        #expect(poller.wait(nanoseconds: 0) == 1, "there is room to write")
        #expect(poller.wait(nanoseconds: 0) == 0)
        event.signal()
        #expect(poller.wait(nanoseconds: 0) == 1)
        #expect(poller.wait(nanoseconds: 0) == 0)
    }

    @Test func aPollerWaitsForPartsOfAMillisecond() throws {
        let poller = try Poller<UInt64>(capacity: 1)
        let begin = Clock.monotonic
        #expect(poller.wait(nanoseconds: 300_000) == 0)
        #expect(Clock.monotonic - begin >= 300_000)
    }

    /// A later deadline leaves the timer as it is; an earlier one sets it.
    @Test func aTimerFiresAtTheNearestDeadline() throws {
        var timer = try BoottimeTimer()
        let poller = try Poller<UInt64>(capacity: 1)
        poller.watch(timer.fileDescriptor, 1)
        let now = Clock.boottime
        timer.arm(for: now + 3_600_000_000_000, now: now)
        timer.arm(for: now + 2_000_000, now: now)
        timer.arm(for: now + 7_200_000_000_000, now: now)
        #expect(poller.wait(nanoseconds: 10_000_000_000) == 1)
        #expect(Clock.boottime >= now + 2_000_000)
        timer.acknowledge()
        #expect(poller.wait(nanoseconds: 0) == 0)
    }

    @Test func aSignalIsReadFromItsDescriptor() throws {
        let signals = try SignalFD([SIGUSR2])
        #expect(signals.take() == nil)
        pthread_kill(pthread_self(), SIGUSR2)
        #expect(signals.take() == SIGUSR2)
        #expect(signals.take() == nil)
    }

    @Test func anErrorSaysWhatAndWhatToDo() {
        #expect(
            RuntimeError.kernel("an eventfd", errno: EMFILE).description
                == "could not create an eventfd: Too many open files; raise the limit on open files (LimitNOFILE=, ulimit -n)"
        )
        #expect(
            RuntimeError.file("write", path: "/x", errno: ENOSPC).description
                == "could not write /x: No space left on device")
    }
}
