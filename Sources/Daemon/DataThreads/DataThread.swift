import Engine
import Glibc
import Host
import Packet
import Proto
import Runtime
import Settings

/// A wish of a client to enrol, on its way to the main thread.
struct EnrolmentWish: Sendable {
    let invitation: Int
    let publicKey: PublicKey
    /// The name of its host; empty if it has none that may be shown.
    let host: String
}

/// A server's data thread: the sessions of one shard. It uses only its own plane, and hears from other
/// threads through its mailbox.
final class DataThread: Sendable {
    let number: Int
    let mailbox: ThreadMailbox
    let pulse: Pulse
    private let thread: Thread

    /// Starts the thread, which owns the plane from here on.
    /// - Parameter wishes: where the main thread expects its clients' wishes to enrol.
    init(
        _ plane: consuming DataPlane, number: Int, mailbox: ThreadMailbox, wishes: Mailbox<EnrolmentWish>,
        log: Log
    ) throws {
        self.number = number
        self.mailbox = mailbox
        pulse = try Pulse("data thread \(number)")
        thread = try Thread.start(
            name: "data \(number)",
            Loop(plane, number: number, mailbox: mailbox, wishes: wishes, pulse: pulse, log: log))
    }

    /// Waits for its end, after a `ShardCommand.stop`.
    /// - Returns: whether it has ended within `patience`; otherwise it hangs, and is left behind.
    func join(patience: Interval) -> Bool {
        thread.join(milliseconds: Int64(max(0, patience.milliseconds)))
    }

    /// The thread's loop.
    private struct Loop: ThreadLoop, ~Copyable {
        private let number: Int
        private var poller: LoopPoller
        private var plane: DataPlane
        private let mailbox: ThreadMailbox
        private let wishes: Mailbox<EnrolmentWish>
        private let pulse: Pulse
        private var journal: EventJournal
        private var isRunning = true

        init(
            _ plane: consuming DataPlane, number: Int, mailbox: ThreadMailbox,
            wishes: Mailbox<EnrolmentWish>, pulse: Pulse, log: Log
        ) throws {
            self.number = number
            self.mailbox = mailbox
            self.wishes = wishes
            self.pulse = pulse
            journal = EventJournal(log)
            poller = try LoopPoller()
            poller.watch(plane.queue.fileDescriptor, .tun)
            poller.watch(mailbox.fileDescriptor, .mailbox)
            poller.watch(pulse.fileDescriptor, .pulse)
            for case let socket? in plane.sockets {
                poller.watch(socket.socket.fileDescriptor, .socket(socket.number))
            }
            self.plane = plane
        }

        mutating func run() {
            while isRunning {
                let count = poller.wait(until: plane.nextDeadline, now: .now)
                let now = Instant.now
                pulse.beat()
                for i in 0..<count {
                    guard let source = poller.event(i) else { continue }
                    switch source {
                    case .socket(let number): plane.receive(number, now: now)
                    case .tun: plane.readTunnel(now: now)
                    case .mailbox: takeMail(now: now)
                    case .timer, .pulse, .signals, .netlink, .firewall, .control, .resolver: break
                    }
                }
                if plane.hasUnfinishedRead { plane.readTunnel(now: now) }
                let wall = Timestamp.now
                while !plane.step(now: now, wall: wall) {}
                for event in plane.takeEvents() {
                    if case .enrolment(let invitation, let key, let host) = event {
                        wishes.post(EnrolmentWish(invitation: invitation, publicKey: key, host: host))
                    }
                    journal.note(event, now: now)
                }
                plane.giveBackMemory(now: now)
            }
            plane.close(now: Instant.now)
        }

        private mutating func takeMail(now: Instant) {
            for command in plane.takeMail(from: mailbox) {
                switch command {
                case .replacePeers(let peers): plane.engine.replacePeers(peers)
                case .replaceRoots(let roots): plane.engine.replaceRoots(roots, now: now)
                case .settle(let invitation, let key, let outcome):
                    plane.engine.settle(invitation: invitation, publicKey: key, outcome: outcome)
                case .setMode(let mode): plane.engine.setMode(mode)
                case .setRedundantPaths(let count): plane.engine.setRedundantPaths(count)
                case .setClasses(let classes): plane.engine.setClasses(classes, now: now)
                case .setLimits(let limits, let peer): _ = plane.engine.setLimits(limits, of: peer)
                case .report(let call): call.answer(plane.report(of: number, now: now))
                case .stop: isRunning = false
                }
            }
            plane.readMail(now: now)
        }
    }
}
