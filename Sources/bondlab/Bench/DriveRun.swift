import Lab
import LinkModel
import Simulation

/// One downward flow over the links of a recorded drive, which begins with the flow, so that its start-up
/// counts. Ten pings a second run next to it.
struct DriveRun {
    static let seconds = 50
    /// Seconds between two values of a course.
    static let interval = 0.5
    /// Seconds between two pings.
    static let pingInterval = 0.1
    private static let idlePings = 30

    /// Mbit/s of payload.
    var megabits: Double
    /// Mbit/s in each interval.
    var course: [Double]
    /// Pings before the flow; none without a tunnel.
    var idle: PingRun?
    /// Pings during the flow; without a tunnel, one run per link.
    var pings: [PingRun]

    /// Quantile of the round-trip times in ms of the pings during the flow, on the link with the smallest.
    func ping(_ quantile: Double) -> Double {
        pings.compactMap { $0.quantile(quantile) }.min() ?? .infinity
    }

    /// Number of unanswered pings, on the link with the fewest.
    var lost: Int { pings.map(\.lost).min() ?? 0 }

    /// Through a tunnel in mode auto.
    static func bond(_ drive: RecordedDrive, _ congestion: String, _ stopper: Stopper, seed: UInt64) throws
        -> DriveRun
    {
        try stopper.check()
        let tunnel = try Tunnel(mode: "auto", seed: seed)
        defer { tunnel.close() }
        let client = try tunnel.client("client", links: drive.links.map(\.steady))
        try tunnel.start()
        let (inside, outside) = (client.namespace, tunnel.server.namespace)
        let idle = try PingRun.run(
            from: inside, to: Tunnel.serverAddress, count: idlePings, interval: pingInterval)
        play(drive, client.links, tunnel.lab)
        let flow = try TCPFlow.start(from: inside, to: outside, plan(congestion, to: Tunnel.serverAddress))
        let pings = try pings(from: inside, to: Tunnel.serverAddress)
        try stopper.wait(seconds: Double(seconds))
        let result = try flow.finish()
        return DriveRun(megabits: result.megabits, course: result.series, idle: idle, pings: [pings.finish()])
    }

    /// Without a tunnel, one flow over each link at the same time.
    static func alone(_ drive: RecordedDrive, _ congestion: String, _ stopper: Stopper, seed: UInt64) throws
        -> [DriveRun]
    {
        try onBareLinks(drive, stopper, seed) { links in
            let flows = try links.map { link in
                var plan = plan(congestion, to: link.addresses.ipv4(.server))
                plan.port += UInt16(link.addresses.index)
                return try TCPFlow.start(from: link.namespace(.client), to: link.namespace(.server), plan)
            }
            let running = try links.map {
                try pings(from: $0.namespace(.client), to: $0.addresses.ipv4(.server))
            }
            try stopper.wait(seconds: Double(seconds))
            return try zip(flows, running).map { flow, pings in
                let result = try flow.finish()
                return DriveRun(megabits: result.megabits, course: result.series, pings: [pings.finish()])
            }
        }
    }

    /// Without a tunnel, one flow of Multipath TCP.
    static func multipath(
        _ drive: RecordedDrive, _ congestion: String, _ stopper: Stopper, seed: UInt64
    ) throws -> DriveRun {
        try onBareLinks(drive, stopper, seed) { links in
            try MultipathTCP.setUp(links)
            var plan = plan(congestion, to: links[0].addresses.ipv4(.server))
            plan.isMultipath = true
            let flow = try TCPFlow.start(
                from: links[0].namespace(.client), to: links[0].namespace(.server), plan)
            let running = try links.map {
                try pings(from: $0.namespace(.client), to: $0.addresses.ipv4(.server))
            }
            try stopper.wait(seconds: Double(seconds))
            let result = try flow.finish()
            return DriveRun(
                megabits: result.megabits, course: result.series, pings: running.map { $0.finish() })
        }
    }

    private static func plan(_ congestion: String, to address: String) -> TCPFlow.Plan {
        var plan = TCPFlow.Plan(to: address, seconds: seconds)
        (plan.congestion, plan.reverse, plan.interval) = (congestion, true, interval)
        return plan
    }

    private static func pings(from namespace: Namespace, to address: String) throws(LabError)
        -> PingRun.Running
    {
        try PingRun.start(
            from: namespace, to: address, count: Int(Double(seconds) / pingInterval), interval: pingInterval)
    }

    private static func onBareLinks<Result>(
        _ drive: RecordedDrive, _ stopper: Stopper, _ seed: UInt64, _ body: ([EmulatedLink]) throws -> Result
    ) throws -> Result {
        try stopper.check()
        let lab = try Lab(seed: seed)
        defer { lab.close() }
        let (client, server) = (try lab.namespace("client"), try lab.namespace("server"))
        let links = try drive.links.map { try lab.link($0.steady, from: client, to: server) }
        play(drive, links, lab)
        return try body(links)
    }

    /// Starts playing the recording.
    private static func play(_ drive: RecordedDrive, _ links: [EmulatedLink], _ lab: Lab) {
        for (link, spec) in zip(links, drive.links) {
            link.change(.down) { $0.trace = spec.down.trace }
        }
        lab.restartLinks()
    }
}

extension LinkSpec {
    /// The link at its mean rate, so that a tunnel can be set up however the recording begins.
    fileprivate var steady: LinkSpec {
        var spec = self
        if let trace = down.trace { (spec.down.trace, spec.down.rate) = (nil, UInt64(trace.meanRate)) }
        return spec
    }
}
