import CLinux
import Glibc
import Runtime

/// The current Unix time in seconds, as stored in the state.
package func currentTime() -> Int { time(nil) }

/// Whether the host's clock can be trusted.
enum HostClock {
    /// Whether time synchronization is active (adjtimex(2)); false if the kernel does not tell.
    static var isSynchronised: Bool { clinux_clock_is_synchronised() != 0 }

    /// Whether the host has just booted and its clock is not synchronized yet.
    static var mayBeUnset: Bool {
        Clock.boottime / 1_000_000_000 < settlingTime && !isSynchronised
    }

    /// 2026-01-01, before the first release: a clock that shows an earlier time has never been set.
    static let earliest = 1_767_225_600

    /// Seconds after boot within which hosts with a time source have set their clock.
    private static let settlingTime: UInt64 = 600
}
