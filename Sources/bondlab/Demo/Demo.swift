import Glibc
import Lab

/// The demo: each link alone, then both, with an outage in between.
struct Demo {
    private static let uplinks = ["fibre=100/10", "lte=50/30"]
    /// Seconds from the start of the last flow.
    private static let (omitted, accident, repair, end) = (3, 9.0, 15.0, 24)

    private let interrupt: Interrupt
    private let screen = Screen()

    init(_ interrupt: Interrupt) { self.interrupt = interrupt }

    func run() throws {
        let tunnel = try Tunnel()
        defer { tunnel.close() }
        let client = try tunnel.client("client", uplinks: Self.uplinks)
        screen.say(Self.picture)
        try tunnel.start()
        screen.say("The tunnel is up on both links. One TCP flow (Cubic), first over each of them alone:\n")
        let alone = try client.links.map { link in try measureAlone(link, tunnel, client) }
        try client.waitUntilWhole()
        let bond = try measureBond(tunnel, client)
        screen.say(summary(alone, bond))
    }

    private static let picture = """
        bondd demo: a client and a server in network namespaces of their own, two emulated links between them.

                      ┌── fibre  100 Mbit/s, 20 ms RTT ──┐
            client ───┤                                  ├─── server
                      └── lte     50 Mbit/s, 60 ms RTT ──┘

        """

    // MARK: - Each link alone

    /// The TCP payload in Mbit/s that one flow gets with this link alone.
    private func measureAlone(
        _ link: EmulatedLink, _ tunnel: Tunnel, _ client: TunnelClient
    ) throws -> Double {
        for other in client.links {
            try client.bondd.set("path.\(other.name).role", other === link ? "primary" : "never")
        }
        try client.bondd.wait(for: "\(link.name) alone") { status in
            status.path(link.name)?.state == "up"
                && client.links.allSatisfy { $0 === link || status.path($0.name)?.state != "up" }
        }
        let flow = try start(tunnel, client, seconds: 4, omit: 2)
        let figures = LiveFigures(tunnel, client, title: "\(link.name) alone")
        try watch(figures, until: { $0 >= 6 })
        let result = try flow.finish().megabits
        for other in client.links { try client.bondd.set("path.\(other.name).role", "primary") }
        return result
    }

    // MARK: - Both

    private struct Bond {
        var before: Double
        var during: Double
        var after: Double
        var silence: Double
        var lostPings: Int
        var back: Double?
        var idleRTT: Double
        var loadedRTT: Double
    }

    private func measureBond(_ tunnel: Tunnel, _ client: TunnelClient) throws -> Bond {
        let idle = try PingRun.run(from: client.namespace, to: Tunnel.serverAddress, count: 50)
        let flow = try start(
            tunnel, client, seconds: Self.end - Self.omitted, omit: Self.omitted)
        let pings = try PingRun.start(
            from: client.namespace, to: Tunnel.serverAddress, count: Self.end * 100)
        let figures = LiveFigures(tunnel, client, title: "both links", pings: pings)
        let fibre = client.links[0]
        try watch(figures, until: { $0 >= Self.accident })
        let moment = Clock.wall
        fibre.isDown = true
        screen.note("the fibre is a black hole now, without any notification")
        try watch(figures, until: { $0 >= Self.repair })
        fibre.isDown = false
        let repaired = Clock.monotonic
        screen.note("the fibre works again")
        var back: Double?
        try watch(figures) { seconds in
            if back == nil, figures.isUp(fibre.name) { back = Clock.monotonic - repaired }
            return seconds >= Double(Self.end)
        }
        let series = try flow.finish().series
        let run = pings.finish()
        // The flow's half seconds in a stretch; one at each end is left out, as clocks differ slightly.
        func mean(from: Double, to: Double) -> Double {
            let first = max(Int((from - Double(Self.omitted)) * 2) + 1, 0)
            let last = min(Int((to - Double(Self.omitted)) * 2) - 1, series.count)
            return first < last ? series[first..<last].reduce(0, +) / Double(last - first) : 0
        }
        var before = run
        before.replies.removeAll { $0.time >= moment }
        return Bond(
            before: mean(from: Double(Self.omitted), to: Self.accident),
            during: mean(from: Self.accident + 1, to: Self.repair),
            after: mean(from: Self.repair + 4, to: Double(Self.end)),
            silence: run.silence(after: moment), lostPings: run.lost, back: back,
            idleRTT: idle.medianRTT ?? 0, loadedRTT: before.medianRTT ?? 0)
    }

    private func start(
        _ tunnel: Tunnel, _ client: TunnelClient, seconds: Int, omit: Int
    ) throws -> TCPFlow.Running {
        var plan = TCPFlow.Plan(to: Tunnel.serverAddress, seconds: seconds)
        (plan.omit, plan.congestion, plan.interval) = (omit, "cubic", 0.5)
        return try TCPFlow.start(from: client.namespace, to: tunnel.server.namespace, plan)
    }

    /// Shows figures each half second until `isOver` returns true for the seconds since they began.
    private func watch(_ figures: LiveFigures, until isOver: (Double) -> Bool) throws {
        while true {
            let next = figures.startedAt + Double(figures.count + 1) * 0.5
            if interrupt.comes(within: next - Clock.monotonic) { throw Interrupted() }
            screen.show(figures.next())
            if isOver(Clock.monotonic - figures.startedAt) { return }
        }
    }

    // MARK: - The end

    private func summary(_ alone: [Double], _ bond: Bond) -> String {
        var table = Table(["one TCP flow (Cubic), payload", "Mbit/s"])
        table.add(["fibre alone, through the tunnel", Format.figure(alone[0])])
        table.add(["lte alone, through the tunnel", Format.figure(alone[1])])
        table.add(["both", Format.figure(bond.before)])
        table.add(["both, while the fibre was a black hole", Format.figure(bond.during)])
        table.add(["both, from 4 s after it came back", Format.figure(bond.after)])
        let silence = bond.silence.isFinite ? "\(Format.figure(bond.silence)) ms" : "without end"
        let back = bond.back.map { "\(Format.figure($0)) s after it worked again" } ?? "not within the demo"
        return """

            \(table)

            When the fibre died, the longest silence of 100 pings a second was \(silence); \(bond.lostPings) pings
            were lost in all. Its path was up again \(back).
            Ping: \(Format.figure(bond.idleRTT)) ms idle, \(Format.figure(bond.loadedRTT)) ms (median) during the flow.
            All headers leave 90.7 % of the links' 150 Mbit/s to a flow: 136.1 Mbit/s.
            """
    }
}
