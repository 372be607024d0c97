import Lab

/// Additional traffic on the links: copies in mode auto, and retransmissions.
struct Overhead {
    private static let seconds = 10
    private let stopper: Stopper

    init(_ stopper: Stopper) { self.stopper = stopper }

    func measure() throws -> [Sample] {
        let stripe = try run(Throughput.fibreAndLTE, mode: "stripe")
        let auto = try run(Throughput.fibreAndLTE, mode: "auto")
        let lossy = try run(["first=50/20,loss=5%", "second=50/20,loss=5%"], mode: "auto")
        return [
            Sample("clean links, stripe: bytes on the wire for one of payload", "×", stripe.bytes),
            Sample("clean links, auto: bytes on the wire for one of payload", "×", auto.bytes),
            Sample("auto more than stripe", "%", (auto.bytes / stripe.bytes - 1) * 100, .atMost(3)),
            Sample("clean links: sent again", "%", auto.repaired * 100),
            Sample("two links of 5 % loss: sent again", "%", lossy.repaired * 100, .atMost(10)),
        ]
    }

    /// A TCP flow from the client next to a call and pings: bytes of whole frames on the client's links for
    /// each byte received in the tunnel, and the share of its datagrams that are repairs.
    private func run(_ uplinks: [String], mode: String) throws -> (bytes: Double, repaired: Double) {
        try stopper.check()
        return try Tunnel.with(uplinks, mode: mode) { tunnel, client in
            func wire() -> Int { client.links.reduce(0) { $0 + Int($1.counters(.up).sentBytes) } }
            func inside() -> Int { tunnel.server.namespace.receivedBytes("bond0") ?? 0 }
            let before = (wire: wire(), inside: inside())
            var plan = TCPFlow.Plan(to: Tunnel.serverAddress, seconds: Self.seconds)
            plan.congestion = "cubic"
            let flow = try TCPFlow.start(from: client.namespace, to: tunnel.server.namespace, plan)
            let pings = try PingRun.start(
                from: client.namespace, to: Tunnel.serverAddress, count: Self.seconds * 10, interval: 0.1)
            _ = try PacketFlow.run(
                from: client.namespace, to: tunnel.server.namespace,
                PacketFlow.Plan(to: Tunnel.serverAddress, size: 200, rate: 50, seconds: Double(Self.seconds)))
            _ = try flow.finish()
            _ = pings.finish()
            let bytes = Double(wire() - before.wire) / Double(max(inside() - before.inside, 1))
            let paths = try client.bondd.status().sessions.flatMap(\.paths)
            let sent = paths.reduce(0) { $0 + $1.tx_packets }
            let repaired = paths.reduce(0) { $0 + $1.repaired }
            return (bytes, sent == 0 ? 0 : Double(repaired) / Double(sent))
        }
    }
}
