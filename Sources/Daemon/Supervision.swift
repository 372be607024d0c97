import Glibc
import Packet
import Runtime
import Settings

/// Reports to the service manager that the daemon is ready, reloads or stops, and its status. `Watchdog`
/// reports that the loops are running.
struct Supervision {
    private let notice = ServiceNotice()
    /// The service manager's watchdog timeout; nil if it has no watchdog.
    let period: Interval?
    /// When the next status is due.
    private(set) var nextSign = Instant.never
    private var said = ""

    /// As the environment has it (sd_watchdog_enabled(3)).
    init() {
        func number(_ name: String) -> Int64? { getenv(name).flatMap { Int64(String(cString: $0)) } }
        let isMeant = number("WATCHDOG_PID").map { $0 == getpid() } ?? true
        let period = number("WATCHDOG_USEC").flatMap { (1...86_400_000_000).contains($0) ? $0 : nil }
        self.period = isMeant ? period.map { .microseconds($0) } : nil
    }

    /// The sockets and the TUN device are open.
    mutating func ready(_ status: String, now: Instant) {
        said = status
        notice.send("READY=1\nSTATUS=\(status)")
        if let period { nextSign = now + period / 2 }
    }

    /// The configuration is read again; `ready` follows.
    func reloading() {
        notice.send("RELOADING=1\nMONOTONIC_USEC=\(Clock.monotonic / 1000)")
    }

    /// The end has begun.
    func stopping() { notice.send("STOPPING=1\nSTATUS=stopping") }

    /// Sends the status if it has changed. Called at `nextSign`.
    mutating func sign(_ status: String, now: Instant) {
        guard let period else { return }
        nextSign = now + period / 2
        if status != said { notice.send("STATUS=\(status)") }
        said = status
    }
}

extension Daemon {
    /// The daemon's status in a few words.
    func summary(now: Instant) -> String {
        let name = shared.tunnel.name
        return switch side {
        case .server: "server on \(name)"
        case .client(let client):
            "client on \(name), \(client.workingPaths(now: now).count) of \(client.paths.count) paths up"
        }
    }
}
