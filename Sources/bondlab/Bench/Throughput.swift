import Lab

/// The share of the links' capacity that a single TCP flow gets.
struct Throughput {
    /// The share of a link's rate that framing leaves to a flow: 1400 bytes inside, 52 of them TCP/IP headers
    /// with time stamps, plus 4 of shim, 24 of header, 16 of tag, 28 of UDP/IPv4 and 14 of Ethernet.
    static let ceiling = 1348.0 / 1486
    private static let (omitted, seconds) = (4, 8)
    static let fibreAndLTE = ["fibre=100/10", "lte=50/30"]

    private let stopper: Stopper

    init(_ stopper: Stopper) { self.stopper = stopper }

    func unequal() throws -> [Sample] {
        try [false, true].map { reverse in
            let rate = try Tunnel.with(Self.fibreAndLTE) { try flow($0, $1, reverse) }
            return Sample(reverse ? "down" : "up", "Mbit/s", rate, of: 150 * Self.ceiling, .atLeast(115))
        }
    }

    func equal() throws -> [Sample] {
        try [false, true].map { reverse in
            let rate = try Tunnel.with(["first=50/10", "second=50/10"]) { try flow($0, $1, reverse) }
            return Sample(reverse ? "down" : "up", "Mbit/s", rate, of: 100 * Self.ceiling, .atLeast(85))
        }
    }

    func alone() throws -> [Sample] {
        var samples: [Sample] = []
        for (link, rate) in zip(Self.fibreAndLTE, [100.0, 50]) {
            for reverse in [false, true] {
                let value = try Tunnel.with([link]) { try flow($0, $1, reverse) }
                samples.append(
                    Sample("\(link) \(reverse ? "down" : "up")", "Mbit/s", value, of: rate * Self.ceiling))
            }
        }
        return samples
    }

    private func flow(_ tunnel: Tunnel, _ client: TunnelClient, _ reverse: Bool) throws -> Double {
        try stopper.check()
        var plan = TCPFlow.Plan(to: Tunnel.serverAddress, seconds: Self.seconds)
        (plan.omit, plan.congestion, plan.reverse) = (Self.omitted, "cubic", reverse)
        return try TCPFlow.run(from: client.namespace, to: tunnel.server.namespace, plan).megabits
    }
}
