import CLinux
import Commands
import Engine
import Glibc
import Host
import Packet
import Settings

/// A data thread beside the main one: a server's sessions of one shard. It has nothing but its own plane, and hears from
/// others by its mailbox.
final class DataThread: Sendable {
    let number: Int
    let mailbox: Mailbox
    let pulse: Pulse
    private let thread: pthread_t

    /// Starts the thread, which has the plane from here on.
    init(_ plane: consuming DataPlane, number: Int, mailbox: Mailbox, log: Log) throws {
        self.number = number
        self.mailbox = mailbox
        pulse = try Pulse("data thread \(number)")
        thread = try Loop(plane, number: number, mailbox: mailbox, pulse: pulse, log: log)
            .start("a data thread")
    }

    /// Waits for its end, after a `ShardCommand.stop`.
    /// - Returns: false when it has not ended after `patience`: it hangs, and is left behind.
    func join(patience: Interval) -> Bool {
        clinux_join(thread, Int64(max(0, patience.milliseconds))) == 0
    }

    /// What the thread does.
    private struct Loop: ThreadLoop, ~Copyable {
        private let number: Int
        private var poller: Poller
        private var plane: DataPlane
        private let mailbox: Mailbox
        private let pulse: Pulse
        private var journal: EventJournal
        private var isRunning = true

        init(_ plane: consuming DataPlane, number: Int, mailbox: Mailbox, pulse: Pulse, log: Log) throws {
            self.number = number
            self.mailbox = mailbox
            self.pulse = pulse
            journal = EventJournal(log)
            poller = try Poller(takesSignals: false)
            poller.watch(plane.queue.fileDescriptor, .tun)
            poller.watch(mailbox.fileDescriptor, .mailbox)
            poller.watch(pulse.fileDescriptor, .pulse)
            for case let socket? in plane.sockets {
                poller.watch(socket.socket.fileDescriptor, .socket, number: socket.number)
            }
            self.plane = plane
        }

        mutating func run() {
            _ = lab_thread_name("data \(number)")
            while isRunning {
                let count = poller.wait(
                    until: plane.nextDeadline.nanoseconds, now: DataPlane.clock().nanoseconds)
                let now = DataPlane.clock()
                pulse.beat()
                for i in 0..<count {
                    guard let event = poller.event(i) else { continue }
                    switch event.source {
                    case .socket: plane.receive(event.number, now: now)
                    case .tun: plane.readTunnel(now: now)
                    case .timer: poller.timerFired()
                    case .mailbox: takeMail(now: now)
                    case .pulse, .signals, .netlink, .firewall, .control, .resolver: break
                    }
                }
                let wall = DataPlane.wall()
                while !plane.step(now: now, wall: wall) {}
                for event in plane.takeEvents() { journal.note(event, now: now) }
                plane.giveBackMemory(now: now)
            }
            plane.close(now: DataPlane.clock())
        }

        private mutating func takeMail(now: Instant) {
            for command in plane.takeMail(from: mailbox) {
                switch command {
                case .replacePeers(let peers): plane.engine.replacePeers(peers)
                case .replaceRoots(let roots): plane.engine.replaceRoots(roots, now: now)
                case .setMode(let mode): plane.engine.setMode(mode)
                case .setRedundantPaths(let count): plane.engine.setRedundantPaths(count)
                case .report(let call): call.answer(plane.report(of: number, now: now))
                case .stop: isRunning = false
                }
            }
            plane.readMail(now: now)
        }
    }
}
