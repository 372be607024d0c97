import Lab

/// The share that a tunnel leaves to others: its two paths and a neighbor's plain TCP flow meet in the queue of
/// one link.
///
/// ```
/// client ══ two veth pairs ══ router ── emulated link ── server
/// neighbour ── a veth pair ──┘
/// ```
struct Fairness {
    private static let bottleneck = "shared=100/10"
    private static let (omitted, seconds) = (4, 20)
    /// Payload of a full frame of a plain flow.
    private static let plainShare = 1448.0 / 1514
    private let stopper: Stopper

    init(_ stopper: Stopper) { self.stopper = stopper }

    func measure() throws -> [Sample] { try [false, true].flatMap { try measure(reverse: $0) } }

    private func measure(reverse: Bool) throws -> [Sample] {
        try stopper.check()
        let tunnel = try Tunnel(mode: "auto")
        defer { tunnel.close() }
        let lab = tunnel.lab
        let (router, neighbour) = (try lab.namespace("router"), try lab.namespace("neighbour"))
        try router.sysctl("net/ipv4/ip_forward", "1")
        let shared = try lab.link(LinkSpec(Self.bottleneck), from: router, to: tunnel.server.namespace)
        let server = shared.addresses.ipv4(.server)
        let client = try tunnel.client("client", wires: ["first", "second"], to: router, server: server)
        let plainWire = try lab.veth("plain", from: neighbour, to: router)
        try neighbour.ip("route add default via \(plainWire.addresses.ipv4(.server))")
        try tunnel.server.namespace.ip("route add default via \(shared.addresses.ipv4(.client))")
        try tunnel.start()

        var plan = TCPFlow.Plan(to: Tunnel.serverAddress, seconds: Self.seconds)
        (plan.omit, plan.congestion, plan.reverse) = (Self.omitted, "cubic", reverse)
        let bonded = try TCPFlow.start(from: client.namespace, to: tunnel.server.namespace, plan)
        (plan.address, plan.port) = (server, 5301)
        let plain = try TCPFlow.start(from: neighbour, to: tunnel.server.namespace, plan)
        let bond = try bonded.finish().megabits
        let other = try plain.finish().megabits
        // Both are measured by the room they take in the link's queue.
        let (bondWire, otherWire) = (bond / Throughput.ceiling, other / Self.plainShare)
        let way = reverse ? "down" : "up"
        return [
            Sample("\(way): in the tunnel", "Mbit/s", bond),
            Sample("\(way): next to it", "Mbit/s", other),
            Sample(
                "\(way): the tunnel's part of the link", "%",
                bondWire / max(bondWire + otherWire, 1e-9) * 100,
                .atMost(60)),
        ]
    }
}
