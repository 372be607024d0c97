import CLinux
import Glibc

/// Seconds since 1970, as the state has them.
public func currentTime() -> Int { time(nil) }

/// How far the host's clock can be trusted.
enum HostClock {
    /// Whether something keeps it right (adjtimex(2)); false also where the kernel does not say.
    static var isSynchronised: Bool { clinux_clock_is_synchronised() != 0 }

    /// Whether the host has started so lately that its clock, if nothing has set it yet, may be anything.
    static var mayBeUnset: Bool {
        var time = timespec()
        clock_gettime(CLOCK_BOOTTIME, &time)
        return time.tv_sec < settlingTime && !isSynchronised
    }

    /// No version of this program is older: 2026-01-01. A clock behind it was never set.
    static let earliest = 1_767_225_600

    /// Seconds in which a host that can will have set its clock.
    private static let settlingTime = 600
}
