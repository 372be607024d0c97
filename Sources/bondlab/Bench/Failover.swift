import Glibc
import Lab

/// How long traffic stops, how much is lost and how soon the remaining capacity is used when a link dies and
/// comes back.
struct Failover {
    /// The way in which a link dies.
    private enum Death: String, CaseIterable {
        /// All frames vanish.
        case blackHole = "black hole"
        /// The interface is set down.
        case carrier = "link down"
    }

    /// Seconds after the flow began.
    private static let (killed, back, end) = (6.0, 12.0, 18.0)
    /// The payload's share of a full frame, which the tunnel's interface counts with the flow's headers.
    private static let share = 1400.0 / 1486
    private static let uplinks = Throughput.fibreAndLTE
    private static let (rates, trips) = ([100.0, 50], [20.0, 60])

    private let stopper: Stopper

    init(_ stopper: Stopper) { self.stopper = stopper }

    func measure() throws -> Findings {
        var findings = Findings()
        for death in Death.allCases {
            for link in Self.uplinks.indices { findings = findings + (try kill(link, death)) }
        }
        return findings + (try redundant())
    }

    /// One flow and 100 pings per second over both links, of which one dies and comes back.
    private func kill(_ link: Int, _ death: Death) throws -> Findings {
        try stopper.check()
        return try Tunnel.with(Self.uplinks, mode: "auto") { tunnel, client in
            var plan = TCPFlow.Plan(to: Tunnel.serverAddress, seconds: Int(Self.end))
            plan.congestion = "cubic"
            let flow = try TCPFlow.start(from: client.namespace, to: tunnel.server.namespace, plan)
            var timetable = Timetable(stopper, reading: (tunnel.server.namespace, "bond0"))
            let pings = try PingRun.start(
                from: client.namespace, to: Tunnel.serverAddress, count: Int(Self.end) * 100)
            try timetable.wait(until: Self.killed)
            let killed = Clock.wall
            try set(client.links[link], death, isDead: true)
            try timetable.wait(until: Self.back)
            let back = Clock.wall
            try set(client.links[link], death, isDead: false)
            try timetable.wait(until: Self.end)
            _ = try flow.finish()
            let run = pings.finish()

            let name = "\(death.rawValue), \(Self.uplinks[link].prefix { $0 != "=" }) of fibre and lte"
            let survivor = Self.rates[1 - link] * Self.share
            let sum = Self.rates.reduce(0, +) * Self.share
            let most = death == .blackHole ? 150 : Self.trips[1 - link] + 20
            let settled = timetable.delay(from: Self.killed, to: Self.back, until: 0.9 * survivor)
            let whole = timetable.delay(from: Self.back, to: Self.end, until: 0.9 * sum)
            let events = [
                Series.Event(second: Self.killed, name: death.rawValue),
                Series.Event(second: Self.back, name: "link back"),
            ]
            return Findings(
                samples: [
                    Sample("\(name): gap", "ms", run.silence(from: killed, to: back), .atMost(most)),
                    Sample(
                        "\(name): lost pings", "packets", Double(run.lost(from: killed - 0.5, to: back)),
                        .atMost(12)),
                    Sample("\(name): 90 % of the other link after", "ms", settled * 1000, .atMost(1000)),
                    Sample("\(name), back: 90 % of the sum after", "ms", whole * 1000, .atMost(3000)),
                    Sample("\(name), back: gap", "ms", run.silence(from: back, to: back + 3)),
                    Sample(
                        "\(name), back: lost pings", "packets", Double(run.lost(from: back, to: back + 3))),
                ],
                series: [
                    Series(name: name, events: events, interval: Timetable.interval, values: timetable.rates)
                ])
        }
    }

    private func set(_ link: EmulatedLink, _ death: Death, isDead: Bool) throws {
        switch death {
        case .blackHole: link.isDown = isDead
        case .carrier:
            try link.namespace(.client).ip(
                "link set dev \(link.interface(.client)) \(isDead ? "down" : "up")")
        }
    }

    /// The pings are 10 ms apart, so there is always that much silence.
    private func redundant() throws -> Findings {
        try stopper.check()
        let run = try Tunnel.with(["first=50/10", "second=50/10"], mode: "redundant") { tunnel, client in
            let ping = try PingRun.start(from: client.namespace, to: Tunnel.serverAddress, count: 300)
            usleep(1_000_000)
            client.links[0].isDown = true
            return ping.finish()
        }
        return Findings(samples: [
            Sample("redundant, equal links: added gap", "ms", run.largestGap - 10, .atMost(20)),
            Sample("redundant: lost pings", "packets", Double(run.lost), .atMost(0)),
            Sample("redundant: answers that came twice", "packets", Double(run.duplicates), .atMost(0)),
        ])
    }
}
