import Lab

/// A small internet: a client whose uplinks `up0`, `up1` … are connected to a router, and behind it a server,
/// in whose namespace there is a host reachable only from there.
struct Internet {
    static let server = "203.0.113.7"
    static let server6 = "2001:db8:7::7"
    /// Reachable only through the tunnel.
    static let target = "198.51.100.1"
    static let target6 = "2001:db8:51::1"

    let tunnel: Tunnel
    let router: Namespace
    let client: TunnelClient
    /// The link between the server and the router.
    let core: VethPair

    /// An internet whose client has no default route yet and strict reverse-path filters.
    init(uplinks: Int = 2, clientProgram: Program? = nil) throws {
        tunnel = try Tunnel(clientProgram: clientProgram)
        router = try tunnel.lab.namespace("router")
        let host = tunnel.server.namespace
        core = try tunnel.lab.veth("core", from: host, to: router)
        for (own, target, near, far) in [
            (Self.server, Self.target, core.addresses.ipv4(.client), core.addresses.ipv4(.server)),
            (Self.server6, Self.target6, core.addresses.ipv6(.client), core.addresses.ipv6(.server)),
        ] {
            try host.ip("addr add \(own) dev lo\naddr add \(target) dev lo\nroute add default via \(far)")
            try router.ip("route add \(own) via \(near)")
        }
        for key in ["net/ipv4/ip_forward", "net/ipv6/conf/all/forwarding"] { try router.sysctl(key, "1") }
        client = try tunnel.client(
            "laptop", wires: (0..<uplinks).map { "up\($0)" }, to: router, server: Self.server)
        for i in 0..<uplinks { try client.namespace.ip("route del \(Self.server) dev up\(i)") }
        try client.namespace.sysctl("net/ipv4/conf/all/rp_filter", "1")
        try client.change { $0.endpoints = ["\(Self.server):5000", "[\(Self.server6)]:5000"] }
    }

    func close() { tunnel.close() }

    /// The number of uplink `i` among the lab's addresses.
    static func network(_ i: Int) -> Int { 101 + i }

    /// The router's address on uplink `i`.
    static func gateway(_ i: Int) -> String { "10.\(network(i)).0.2" }
    static func gateway6(_ i: Int) -> String { "fd00:\(network(i))::2" }

    /// Gives uplink `i` default routes with a metric, in the main table or another.
    func addDefault(_ i: Int, ipv4: Bool = true, ipv6: Bool = true, _ more: String = "") throws {
        if ipv4 { try client.namespace.ip("route add default via \(Self.gateway(i)) dev up\(i) \(more)") }
        if ipv6 { try client.namespace.ip("route add default via \(Self.gateway6(i)) dev up\(i) \(more)") }
    }

    /// Starts counting packets to the target that bypass the tunnel.
    func countLeaks() throws {
        try client.namespace.run([
            "nft",
            "add table inet lab; add chain inet lab out { type filter hook output priority 0; }; "
                + "add rule inet lab out oifname \"up*\" ip daddr \(Self.target) counter; "
                + "add rule inet lab out oifname \"up*\" ip6 daddr \(Self.target6) counter",
        ])
    }

    /// The number of such packets so far.
    func leaks() throws -> Int {
        let counted = try client.namespace.run(["nft", "list", "ruleset"])
        let words = counted.split(whereSeparator: \.isWhitespace)
        return zip(words, words.dropFirst()).filter { $0.0 == "packets" }.reduce(0) { $0 + (Int($1.1) ?? 0) }
    }

    /// Everything that bondd may change of the client's routing.
    func routing() throws -> [String] {
        try ["-4 route show table all", "-6 route show table all", "-4 rule", "-6 rule"].map {
            try client.namespace.run(["ip"] + $0.split(separator: " ").map(String.init))
        }
    }
}
