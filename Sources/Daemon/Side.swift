import ControlProtocol
import Host
import Packet
import Proto
import Scheduler

/// Which end of the tunnel this daemon is.
enum Side {
    case client(Client)
    case server(Server)

    var isClient: Bool { if case .client = self { true } else { false } }

    /// The number of data threads.
    var threadCount: Int {
        switch self {
        case .client: 1
        case .server(let server): server.threads.count
        }
    }

    /// The pulses of a server's data threads.
    var pulses: [Pulse] {
        switch self {
        case .client: []
        case .server(let server): server.threads.pulses
        }
    }

    /// Ends a server's data threads.
    /// - Returns: whether all have ended; those that hang are left behind.
    func stopThreads() -> Bool {
        switch self {
        case .client: true
        case .server(let server): server.stopThreads()
        }
    }

    /// The mode of packets to peers that have not asked for another one.
    var mode: Mode {
        switch self {
        case .client(let client): client.plane.engine.currentMode
        case .server(let server): server.mode
        }
    }

    /// In mode redundant, the number of paths that carry each packet; 0 means all.
    var redundantPaths: Int {
        switch self {
        case .client(let client): client.plane.engine.currentRedundantPaths
        case .server(let server): server.redundantPaths
        }
    }

    func setMode(_ mode: Mode) {
        switch self {
        case .client(let client): client.plane.engine.setMode(mode)
        case .server(let server): server.mode = mode
        }
    }

    func setRedundantPaths(_ count: Int) {
        switch self {
        case .client(let client): client.plane.engine.setRedundantPaths(count)
        case .server(let server): server.redundantPaths = count
        }
    }

    /// Replaces the classes of service.
    func setClasses(_ classes: [ServiceClass], now: Instant) {
        switch self {
        case .client(let client): client.plane.engine.setClasses(classes, now: now)
        case .server(let server): server.setClasses(classes)
        }
    }

    /// The services for the kernel.
    var services: [KernelService] {
        switch self {
        case .client: []
        case .server(let server): server.services
        }
    }

    /// What keeps traffic from passing, a sentence each.
    var problems: [String] {
        switch self {
        case .client(let client): client.problems
        case .server(let server): server.problems
        }
    }

    /// What works, but not as its owner may expect, a sentence each.
    func notices(now: Instant) -> [String] {
        switch self {
        case .client(let client): client.notices
        case .server(let server): server.notices(now: now)
        }
    }

    /// When `check` or `attend` has something to do without anything arriving.
    func deadline(now: Instant) -> Instant {
        switch self {
        case .client(let client): client.deadline(now: now)
        case .server(let server): server.deadline(now: now)
        }
    }

    /// Compares the host's state with the desired one, when that is due.
    func check(now: Instant) {
        switch self {
        case .client(let client): client.check(now: now)
        case .server(let server): server.check(now: now)
        }
    }

    /// Finishes what waits for the disk or for other threads.
    func attend(now: Instant) {
        switch self {
        case .client(let client): client.attend(now: now)
        case .server(let server): server.attend(now: now)
        }
    }

    /// The kernel reports changes of the network.
    func follow(_ events: [NetworkEvent], now: Instant) {
        switch self {
        case .client(let client): client.follow(events, now: now)
        case .server(let server): server.follow(events, now: now)
        }
    }

    /// Leaves the host as it was.
    func close() {
        switch self {
        case .client(let client): client.close()
        case .server(let server): server.close()
        }
    }
}
