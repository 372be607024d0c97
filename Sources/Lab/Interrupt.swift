import CLinux
import Glibc

/// SIGINT and SIGTERM as a pollable descriptor, so that a program with a lab can clean up.
public final class Interrupt: Sendable {
    /// Becomes readable when one of the signals arrives.
    public let fd: Int32

    /// Receives both signals from now on. Create it before anything in the lab, whose threads must not receive
    /// them. Throws `system`.
    public init() throws(LabError) {
        fd = lab_signal_open()
        guard fd >= 0 else { throw .system(call: "signalfd", errno: -fd) }
    }

    deinit { close(fd) }

    /// Whether one of the signals has arrived.
    public var hasCome: Bool { comes(within: 0) }

    /// Waits `seconds`, or less if one of the signals arrives; returns whether one did.
    public func comes(within seconds: Double) -> Bool {
        var event = pollfd(fd: fd, events: Int16(POLLIN), revents: 0)
        return poll(&event, 1, Int32(min(max(seconds, 0) * 1000, 1e9))) > 0
    }
}
