import CLinux
import Glibc
import Packet
import Settings

/// What the service manager hears of the daemon: that it is ready, reads its file again or stops, and twice in each
/// interval of its watchdog that the loop goes round. Nothing where nobody has asked.
struct Supervision {
    private let notice = ServiceNotice()
    /// Half of the watchdog's; nil without one.
    private let interval: Interval?
    /// When the next sign of life is due.
    private(set) var nextSign = Instant.never
    private var said = ""

    /// As the environment has it (sd_watchdog_enabled(3)).
    init() {
        func number(_ name: String) -> Int64? { getenv(name).flatMap { Int64(String(cString: $0)) } }
        let isMeant = number("WATCHDOG_PID").map { $0 == getpid() } ?? true
        let period = number("WATCHDOG_USEC").flatMap { (1...86_400_000_000).contains($0) ? $0 : nil }
        interval = isMeant ? period.map { .microseconds($0) / 2 } : nil
    }

    /// Sockets and the TUN device are there.
    mutating func ready(_ status: String, now: Instant) {
        said = status
        notice.send("READY=1\nSTATUS=\(status)")
        if let interval { nextSign = now + interval }
    }

    /// The configuration is read again; `ready` follows.
    func reloading() {
        notice.send("RELOADING=1\nMONOTONIC_USEC=\(clinux_monotonic() / 1000)")
    }

    /// The end has begun.
    func stopping() { notice.send("STOPPING=1\nSTATUS=stopping") }

    /// Tells that the loop goes round, and how it does when that has changed. To be called at `nextSign`.
    mutating func sign(_ status: String, now: Instant) {
        guard let interval else { return }
        nextSign = now + interval
        notice.send(status == said ? "WATCHDOG=1" : "WATCHDOG=1\nSTATUS=\(status)")
        said = status
    }
}

extension Daemon {
    /// How it does, in a few words.
    func summary(now: Instant) -> String {
        guard plane.engine.isClient else { return "server on \(tunnel.name)" }
        return "client on \(tunnel.name), \(workingPaths(now: now).count) of \(paths.count) paths up"
    }
}
