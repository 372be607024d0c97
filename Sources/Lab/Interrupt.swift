import Glibc
import Runtime

/// SIGINT and SIGTERM as a pollable descriptor, so that a program with a lab can clean up.
public final class Interrupt: Sendable {
    private let signals: SignalFD

    /// Turns readable when one of the signals came.
    public var fd: Int32 { signals.fileDescriptor }

    /// Receives both signals from now on. Create it before anything in the lab, whose threads must not receive
    /// them. Throws `system`.
    public init() throws(LabError) {
        do throws(RuntimeError) {
            signals = try SignalFD([SIGINT, SIGTERM])
        } catch {
            throw .system(call: "signalfd", errno: error.code)
        }
    }

    /// Whether one of the signals has arrived.
    public var hasCome: Bool { comes(within: 0) }

    /// Waits `seconds`, or less if one of the signals arrives; returns whether one did.
    public func comes(within seconds: Double) -> Bool {
        var event = pollfd(fd: fd, events: Int16(POLLIN), revents: 0)
        return poll(&event, 1, Int32(min(max(seconds, 0) * 1000, 1e9))) > 0
    }
}
