import Glibc
import Packet
import Runtime
import Settings
import Synchronization

/// Notifies the service manager's watchdog (sd_notify(3)) twice in each of its periods while the loops of all
/// data threads are running. It has a thread of its own, so that a thread that hangs, including the main one,
/// is named in the log before the service manager ends the daemon.
final class Watchdog: Sendable {
    private let pulses: [Pulse]
    /// Half of the service manager's period.
    private let step: Interval
    private let notice = ServiceNotice()
    private let log: Log
    /// Signalled to end the thread.
    private let end: EventFD
    private let thread = Mutex<Thread?>(nil)

    /// Starts the thread.
    /// - Parameters:
    ///   - pulses: those of all threads whose loops are watched.
    ///   - period: the service manager's timeout.
    /// - Throws: `RuntimeError.kernel` if the process has no thread or descriptor left.
    init(_ pulses: [Pulse], period: Interval, log: Log) throws(RuntimeError) {
        self.pulses = pulses
        step = period / 2
        self.log = log
        end = try EventFD()
        let started = try Thread.start(name: "watchdog") { [self] in run() }
        thread.withLock { $0 = started }
    }

    /// Ends the thread, and waits for it.
    func stop() {
        end.signal()
        thread.withLock { $0.take() }?.join()
    }

    /// The thread's work.
    private func run() {
        while true {
            for pulse in pulses { pulse.ask() }
            guard pause(step) else { return }
            var missed = pulses.filter(\.isMissed)
            if !missed.isEmpty {
                for pulse in missed { report(pulse) }
                // A late notification still counts, if the service manager has not timed out.
                while !missed.isEmpty {
                    guard pause(step / 10) else { return }
                    for pulse in missed where !pulse.isMissed {
                        log(.warning, "\(pulse.name) is running again")
                    }
                    missed = missed.filter(\.isMissed)
                }
            }
            notice.send("WATCHDOG=1")
        }
    }

    private func report(_ pulse: Pulse) {
        let left = Int(step.milliseconds)
        log(
            .error,
            "\(pulse.name) hangs: its loop has made no turn for \(left) ms; after another \(left) ms the service manager restarts bondd"
        )
    }

    /// - Returns: whether to continue.
    private func pause(_ time: Interval) -> Bool {
        var watched = pollfd(fd: end.fileDescriptor, events: Int16(POLLIN), revents: 0)
        return poll(&watched, 1, max(1, Int32(time.milliseconds))) <= 0
    }
}
