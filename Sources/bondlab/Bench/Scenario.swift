import Lab

/// A scenario of the bench.
enum Scenario: String, CaseIterable {
    case mixes
    case drives
    case unequal
    case equal
    case alone
    case failover
    case loss
    case latency
    case udp
    case call
    case overhead
    case shared
    case recovery
    case speed
    case packets
    case delay
    case idle
    case upkeep
    case threads
    case services

    /// A one-line description.
    var title: String {
        switch self {
        case .mixes:
            "one TCP flow (Cubic) over many mixes of links in mode auto, compared with MPTCP; --only NAME for one"
        case .drives:
            "one TCP flow (Cubic, BBR) over recorded drives, next to each link alone and MPTCP; needs --traces"
        case .unequal: "one TCP flow (Cubic) over 100 Mbit/s, 20 ms RTT + 50 Mbit/s, 60 ms RTT"
        case .equal: "one TCP flow (Cubic) over 2 × 50 Mbit/s, 20 ms RTT"
        case .alone: "one TCP flow (Cubic) over each link alone, through the tunnel"
        case .failover: "100 pings a second and a TCP flow while a link dies and comes back"
        case .loss: "redundant, 5 % loss on both links, 1900 datagrams a second"
        case .latency: "100 pings a second, idle and during a TCP flow"
        case .udp: "UDP at 75 % of the links' sum, in mode auto"
        case .call: "50 packets a second over two links of 5 % loss, in mode auto"
        case .overhead: "additional traffic of auto compared with stripe, and retransmissions"
        case .shared: "a tunnel of two paths against a plain TCP flow (Cubic) over one bottleneck"
        case .recovery: "the longest silence of 100 pings a second each way after a mishap"
        case .speed: "one TCP flow (Cubic) over veth pairs without limits, compared with wireguard-go"
        case .packets: "the most UDP packets a second with at most 0.1 % lost, compared with wireguard-go"
        case .delay: "the tunnel's additional delay of a ping over an idle veth pair"
        case .idle: "processor and memory of daemons without traffic"
        case .upkeep: "megabytes a day of paths that carry nothing, from 5 minutes"
        case .threads:
            "one and four clients over veth pairs, a server of one and of two data threads in turns"
        case .services: "rules carried in user space over veth pairs, compared with HAProxy and socat"
        }
    }

    /// The default number of runs.
    var usualRuns: Int {
        switch self {
        case .speed: 5
        case .delay, .services: 3
        default: 1
        }
    }

    /// Whether it compares with other programs.
    var hasRivals: Bool { [.speed, .packets, .delay, .idle].contains(self) }

    /// The figures to compare with each other.
    var ratios: [Ratio] {
        switch self {
        case .speed: Speed.ratios
        case .packets: Packets.ratios
        case .services: Services.ratios
        default: []
        }
    }

    /// Whether it has a row of figures for each of several subjects.
    var isWide: Bool { [.mixes, .drives].contains(self) }

    /// Runs it once.
    func findings(_ round: Round) throws -> Findings {
        switch self {
        case .mixes:
            var mixes = Mixes(round)
            return try mixes.measure()
        case .drives:
            guard let traces = round.mixes.traces else {
                return Findings(notes: ["Without recorded drives: --traces names no directory."])
            }
            var drives = Drives(round, directory: traces)
            return try drives.measure()
        case .failover: return try Failover(round.stopper).measure()
        default: return Findings(samples: try samples(round))
        }
    }

    private func samples(_ round: Round) throws -> [Sample] {
        let stopper = round.stopper
        return switch self {
        case .mixes, .drives, .failover: []
        case .unequal: try Throughput(stopper).unequal()
        case .equal: try Throughput(stopper).equal()
        case .alone: try Throughput(stopper).alone()
        case .loss: try Resilience(stopper).loss()
        case .recovery: try Resilience(stopper).recovery()
        case .latency: try Quality(stopper).latency()
        case .udp: try Quality(stopper).udp()
        case .call: try Quality(stopper).call()
        case .overhead: try Overhead(stopper).measure()
        case .shared: try Fairness(stopper).measure()
        case .speed: try Speed(round).measure()
        case .packets: try Packets(round).measure()
        case .delay: try Rest(round).delay()
        case .idle: try Rest(round).idle()
        case .upkeep: try Upkeep(stopper).measure()
        case .threads: try Sharding(stopper).measure()
        case .services: try Services(stopper).measure()
        }
    }
}

extension Tunnel {
    /// Runs `body` with a tunnel of one client, with all paths up.
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
