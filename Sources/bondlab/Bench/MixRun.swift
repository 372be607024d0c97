import Lab
import LinkModel
import Simulation

/// One Cubic or BBR flow over the links of a mix, which change as the mix specifies: 12 s are measured after 4 s.
struct MixRun {
    static let omitted = 4
    static let seconds = 12
    private static let idlePings = 30

    /// Mbit/s of payload.
    var megabits: Double
    /// Pings before the flow.
    var idle: PingRun?
    /// Pings during the flow, in the measured time.
    var loaded: PingRun?

    /// Measures a tunnel in mode auto, with pings.
    static func bond(_ mix: Mix, _ stopper: Stopper, seed: UInt64) throws -> MixRun {
        try stopper.check()
        let tunnel = try Tunnel(mode: "auto", seed: seed)
        defer { tunnel.close() }
        let client = try tunnel.client("client", links: mix.specs)
        try tunnel.start()
        let idle = try PingRun.run(
            from: client.namespace, to: Tunnel.serverAddress, count: idlePings, interval: 0.05)
        let flow = try TCPFlow.start(
            from: client.namespace, to: tunnel.server.namespace, plan(mix, to: Tunnel.serverAddress))
        var timetable = Timetable(stopper)
        var pings: PingRun.Running?
        try play(mix, client.links, &timetable) {
            pings = try PingRun.start(
                from: client.namespace, to: Tunnel.serverAddress, count: seconds * 10, interval: 0.1)
        }
        let megabits = try flow.finish().megabits
        return MixRun(megabits: megabits, idle: idle, loaded: pings?.finish())
    }

    /// Measures one flow over each link at the same time, without a tunnel: Mbit/s of each.
    static func alone(_ mix: Mix, _ stopper: Stopper, seed: UInt64) throws -> [Double] {
        try stopper.check()
        return try onBareLinks(mix, seed) { links in
            let flows = try links.map { link in
                var plan = plan(mix, to: link.addresses.ipv4(.server))
                plan.port += UInt16(link.addresses.index)
                return try TCPFlow.start(from: link.namespace(.client), to: link.namespace(.server), plan)
            }
            var timetable = Timetable(stopper)
            try play(mix, links, &timetable)
            return try flows.map { try $0.finish().megabits }
        }
    }

    /// Measures one flow of Multipath TCP, without a tunnel: Mbit/s, and how many links joined the first.
    static func multipath(
        _ mix: Mix, _ congestion: String, _ stopper: Stopper, seed: UInt64
    ) throws -> (megabits: Double, joins: Int) {
        try stopper.check()
        return try onBareLinks(mix, seed) { links in
            try MultipathTCP.setUp(links)
            var plan = plan(mix, to: links[0].addresses.ipv4(.server))
            (plan.congestion, plan.isMultipath) = (congestion, true)
            let client = links[0].namespace(.client)
            let flow = try TCPFlow.start(from: client, to: links[0].namespace(.server), plan)
            var timetable = Timetable(stopper)
            try play(mix, links, &timetable)
            let megabits = try flow.finish().megabits
            return (megabits, try MultipathTCP.joins(in: client))
        }
    }

    private static func plan(_ mix: Mix, to address: String) -> TCPFlow.Plan {
        var plan = TCPFlow.Plan(to: address, seconds: seconds)
        (plan.omit, plan.congestion, plan.reverse) = (omitted, "cubic", mix.sender == .server)
        return plan
    }

    private static func onBareLinks<Result>(
        _ mix: Mix, _ seed: UInt64, _ body: ([EmulatedLink]) throws -> Result
    ) throws -> Result {
        let lab = try Lab(seed: seed)
        defer { lab.close() }
        let (client, server) = (try lab.namespace("client"), try lab.namespace("server"))
        return try body(try mix.specs.map { try lab.link($0, from: client, to: server) })
    }

    /// Applies the mix's changes to the links, from the start of the flow to its end.
    /// - Parameter atMeasurement: called when the measured time begins.
    private static func play(
        _ mix: Mix, _ links: [EmulatedLink], _ timetable: inout Timetable,
        atMeasurement: () throws -> Void = {}
    ) throws {
        let end = Double(omitted + seconds)
        let steps = zip(links, mix.links).flatMap { link, plan in
            plan.steps.map { (seconds: Double($0.time) / 1e9, link: link, change: $0.change) }
        }.filter { $0.seconds < end }.sorted { $0.seconds < $1.seconds }
        for step in steps where step.seconds < Double(omitted) {
            try timetable.wait(until: step.seconds)
            step.link.change { $0.apply(step.change) }
        }
        try timetable.wait(until: Double(omitted))
        try atMeasurement()
        for step in steps where step.seconds >= Double(omitted) {
            try timetable.wait(until: step.seconds)
            step.link.change { $0.apply(step.change) }
        }
        try timetable.wait(until: end)
    }
}
