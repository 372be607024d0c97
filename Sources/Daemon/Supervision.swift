import Glibc
import Packet
import Runtime
import Settings

/// Reports to the service manager: that the daemon is ready, how it does, that it reads its file again or
/// stops. `Watchdog` tells it that the loops go round.
struct Supervision {
    private let notice = ServiceNotice()
    /// How long the service manager waits for a sign of its watchdog; nil when it has none.
    let period: Interval?
    /// When it is next to hear how the daemon does.
    private(set) var nextSign = Instant.never
    private var said = ""

    /// As the environment has it (sd_watchdog_enabled(3)).
    init() {
        func number(_ name: String) -> Int64? { getenv(name).flatMap { Int64(String(cString: $0)) } }
        let isMeant = number("WATCHDOG_PID").map { $0 == getpid() } ?? true
        let period = number("WATCHDOG_USEC").flatMap { (1...86_400_000_000).contains($0) ? $0 : nil }
        self.period = isMeant ? period.map { .microseconds($0) } : nil
    }

    /// Sockets and the TUN device are there.
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

    /// Tells how the daemon does when that has changed. To be called at `nextSign`.
    mutating func sign(_ status: String, now: Instant) {
        guard let period else { return }
        nextSign = now + period / 2
        if status != said { notice.send("STATUS=\(status)") }
        said = status
    }
}

extension Daemon {
    /// How it does, in a few words.
    func summary(now: Instant) -> String {
        let name = shared.tunnel.name
        return switch side {
        case .server: "server on \(name)"
        case .client(let client):
            "client on \(name), \(client.workingPaths(now: now).count) of \(client.paths.count) paths up"
        }
    }
}
