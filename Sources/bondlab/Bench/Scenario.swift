import Lab

/// What the bench measures.
enum Scenario: String, CaseIterable {
    case unequal
    case equal
    case alone
    case failover
    case loss
    case latency
    case order
    case recovery
    case speed
    case threads

    /// What it does, in a line.
    var title: String {
        switch self {
        case .unequal: "one TCP flow (Cubic) over 100 Mbit/s, 20 ms RTT + 50 Mbit/s, 60 ms RTT"
        case .equal: "one TCP flow (Cubic) over 2 × 50 Mbit/s, 20 ms RTT"
        case .alone: "one TCP flow (Cubic) over each link alone, through the tunnel"
        case .failover: "100 pings a second while a link turns into a black hole"
        case .loss: "redundant, 5 % loss on both links, 1900 datagrams a second"
        case .latency: "100 pings a second, idle and beside a TCP flow"
        case .order: "UDP at 75 % of the links' sum"
        case .recovery: "the longest silence of 100 pings a second each way after a mishap"
        case .speed: "one TCP flow over veth pairs without limits, with the tunnel and without"
        case .threads:
            "one and four clients over veth pairs, a server of one and of two data threads in turns"
        }
    }

    /// Runs it once.
    func measure(_ stopper: Stopper) throws -> [Sample] {
        switch self {
        case .unequal: try Throughput(stopper).unequal()
        case .equal: try Throughput(stopper).equal()
        case .alone: try Throughput(stopper).alone()
        case .failover: try Resilience(stopper).failover()
        case .loss: try Resilience(stopper).loss()
        case .recovery: try Resilience(stopper).recovery()
        case .latency: try Quality(stopper).latency()
        case .order: try Quality(stopper).order()
        case .speed: try Speed(stopper).measure()
        case .threads: try Sharding(stopper).measure()
        }
    }
}

extension Tunnel {
    /// Runs `body` with a tunnel of one client, all paths up.
    static func with<Result>(
        _ uplinks: [String], mode: String = "stripe", _ body: (Tunnel, TunnelClient) throws -> Result
    ) throws -> Result {
        let tunnel = try Tunnel(mode: mode)
        defer { tunnel.close() }
        let client = try tunnel.client("client", uplinks: uplinks)
        try tunnel.start()
        return try body(tunnel, client)
    }
}
