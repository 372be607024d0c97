import Glibc

/// The kernel's clocks, in nanoseconds.
package enum Clock {
    /// CLOCK_MONOTONIC: stops while the host is suspended.
    package static var monotonic: UInt64 { nanoseconds(CLOCK_MONOTONIC) }

    /// CLOCK_BOOTTIME: monotonic, and advances while the host is suspended.
    package static var boottime: UInt64 { nanoseconds(CLOCK_BOOTTIME) }

    /// CLOCK_REALTIME: the time since 1970, which may be set back. 0 before 1970.
    package static var wall: UInt64 { nanoseconds(CLOCK_REALTIME) }

    /// Processor time of the calling thread, including the kernel's work for it.
    package static var processorTime: UInt64 { nanoseconds(CLOCK_THREAD_CPUTIME_ID) }

    static func processorTime(of thread: pthread_t) -> UInt64 {
        var clock = clockid_t()
        return pthread_getcpuclockid(thread, &clock) == 0 ? nanoseconds(clock) : 0
    }

    /// Processor time of all threads of a process so far; nil if there is no such process.
    package static func processorTime(ofProcess process: pid_t) -> UInt64? {
        var clock = clockid_t()
        return clock_getcpuclockid(process, &clock) == 0 ? nanoseconds(clock) : nil
    }

    private static func nanoseconds(_ clock: clockid_t) -> UInt64 {
        var time = timespec()
        clock_gettime(clock, &time)
        return UInt64(max(0, time.tv_sec)) * 1_000_000_000 + UInt64(time.tv_nsec)
    }
}
