import CLinux
import Glibc

/// A timerfd on `Clock.boottime`. epoll's own timeout stops while the host is suspended.
package struct BoottimeTimer: ~Copyable {
    /// Readable when the timer has fired.
    package let fileDescriptor: Int32
    private var armedFor = UInt64.max

    /// - Throws: `RuntimeError.kernel` if the process has no descriptor left.
    package init() throws(RuntimeError) {
        fileDescriptor = timerfd_create(CLOCK_BOOTTIME, Int32(TFD_NONBLOCK | TFD_CLOEXEC))
        guard fileDescriptor >= 0 else { throw .kernel("a timerfd", errno: errno) }
    }

    deinit { close(fileDescriptor) }

    /// Has the timer fire at `deadline` or earlier, in nanoseconds on `Clock.boottime`. A timer that fires
    /// early costs one turn of the loop; setting it again for each deadline that is postponed costs a system
    /// call for every packet.
    package mutating func arm(for deadline: UInt64, now: UInt64) {
        guard deadline < armedFor || armedFor <= now else { return }
        armedFor = deadline
        _ = clinux_timer_set(fileDescriptor, deadline)
    }

    /// Called after the timer has fired.
    package mutating func acknowledge() {
        var count: UInt64 = 0
        _ = read(fileDescriptor, &count, 8)
        armedFor = .max
    }
}
