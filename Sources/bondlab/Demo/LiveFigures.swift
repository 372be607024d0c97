import Lab

/// Figures of a tunnel at work: each call of `next` covers the time since the previous one.
final class LiveFigures {
    /// One link or the bond.
    struct Row {
        var name: String
        var megabits: Double
        /// Milliseconds.
        var rtt: Double?
        var state: String
    }

    /// All rows of one moment.
    struct Frame {
        var title: String
        /// Seconds since the figures began.
        var seconds: Double
        var rows: [Row]
    }

    /// When they began, in seconds of the monotonic clock.
    let startedAt = Clock.monotonic
    /// The number of frames so far.
    private(set) var count = 0
    private let tunnel: Tunnel
    private let client: TunnelClient
    private let title: String
    private let pings: PingRun.Running?
    private var lastTime: Double
    private var lastBytes: [Int] = []
    private var status: TunnelStatus?

    init(_ tunnel: Tunnel, _ client: TunnelClient, title: String, pings: PingRun.Running? = nil) {
        self.tunnel = tunnel
        self.client = client
        self.title = title
        self.pings = pings
        lastTime = startedAt
        lastBytes = bytes
    }

    /// Whether the client reports a path as up.
    func isUp(_ path: String) -> Bool { status?.path(path)?.state == "up" }

    /// Bytes that arrived: over each link, and out of the tunnel.
    private var bytes: [Int] {
        client.links.map { Int($0.counters(.up).deliveredBytes) }
            + [tunnel.server.namespace.receivedBytes("bond0") ?? 0]
    }

    func next() -> Frame {
        count += 1
        status = try? client.bondd.status()
        let now = Clock.monotonic
        let new = bytes
        let megabits = zip(new, lastBytes).map { Double($0 - $1) * 8 / 1e6 / max(now - lastTime, 1e-3) }
        (lastBytes, lastTime) = (new, now)
        var rows = zip(client.links, megabits).map { link, megabits in
            let path = status?.path(link.name)
            return Row(
                name: link.name, megabits: megabits, rtt: path?.state == "up" ? path?.rtt_ms : nil,
                state: path?.state ?? "unknown")
        }
        let recent = pings?.soFar.replies.suffix(50).map(\.rtt).sorted() ?? []
        rows.append(
            Row(
                name: "bond", megabits: megabits[megabits.count - 1],
                rtt: recent.isEmpty ? nil : recent[recent.count / 2],
                state: status?.sessions.first?.state ?? "unknown"))
        return Frame(title: title, seconds: now - startedAt, rows: rows)
    }
}
