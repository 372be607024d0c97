import Lab
import LinkModel

/// The cost of idle paths: megabytes per day of IP packets, both directions together, as counted by a mobile
/// operator. All tunnels run at the same time.
struct Upkeep {
    /// An idle path, and why it is idle.
    private struct Subject {
        let name: String
        var mode = "auto"
        var role = "primary"
        /// Whether 84 bytes are sent in each direction twice a second meanwhile.
        var hasTrickle = true
        /// Whether everything sent on the path is lost.
        var isDead = false
    }

    private static let subjects = [
        Subject(name: "backup with a trickle", role: "backup"),
        Subject(name: "metered with a trickle", role: "metered"),
        Subject(name: "preferred, the other path, with a trickle", mode: "preferred"),
        Subject(name: "a network that drops everything, with a trickle", isDead: true),
        Subject(name: "idle tunnel, one of two paths", hasTrickle: false),
        Subject(name: "idle tunnel, backup", role: "backup", hasTrickle: false),
    ]
    /// Seconds after the start that are not measured: a session is probed more closely at first.
    private static let settling = 60.0
    /// Measured seconds: two changes of keys, and more than the searches for an MTU take.
    private static let length = 300.0
    /// The Ethernet header, which interface counters include and an operator does not count.
    private static let frameHeader: UInt64 = 14

    private let stopper: Stopper

    init(_ stopper: Stopper) { self.stopper = stopper }

    func measure() throws -> [Sample] {
        var tunnels: [(Subject, Tunnel, EmulatedLink)] = []
        defer { for (_, tunnel, _) in tunnels { tunnel.close() } }
        var pings: [PingRun.Running] = []
        for subject in Self.subjects {
            try stopper.check()
            let tunnel = try Tunnel(mode: subject.mode)
            let client = try open(subject, tunnel)
            tunnels.append((subject, tunnel, client.links[1]))
            if subject.hasTrickle {
                let count = Int((Self.settling + Self.length) * 2)
                pings.append(
                    try PingRun.start(
                        from: client.namespace, to: Tunnel.serverAddress, count: count, interval: 0.5))
            }
            if subject.isDead { client.links[1].isDown = true }
        }
        try stopper.wait(seconds: Self.settling)
        let before = tunnels.map { Self.bytes($0.2) }
        let start = Clock.monotonic
        try stopper.wait(seconds: Self.length)
        let seconds = Clock.monotonic - start
        return tunnels.indices.map { i in
            let bytes = Double(Self.bytes(tunnels[i].2) - before[i])
            return Sample(tunnels[i].0.name, "MB a day", bytes / seconds * 86_400 / 1e6, .atMost(5))
        }
    }

    private func open(_ subject: Subject, _ tunnel: Tunnel) throws -> TunnelClient {
        let client = try tunnel.client("client", uplinks: ["fibre=100/10", "lte=50/30"])
        try client.change { $0.paths[1].role = subject.role }
        try tunnel.start()
        return client
    }

    /// Bytes of IP packets sent by both ends.
    private static func bytes(_ link: EmulatedLink) -> UInt64 {
        LinkDirection.allCases.reduce(0) { sum, direction in
            let counters = link.counters(direction)
            return sum + counters.sentBytes - counters.sent * frameHeader
        }
    }
}
