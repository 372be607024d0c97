import ControlProtocol
import Glibc
import Lab

/// A user next to the router ── server ── router ── two uplinks ── client, whose default route is an uplink.
/// There is no bondd-control: the test hands over services in its place.
struct ServiceWorld {
    let internet: Internet

    var server: Bondd { internet.tunnel.server }
    var client: TunnelClient { internet.client }
    var user: Namespace { internet.router }
    /// The server's address for the user, the target inside, and the user's own address.
    var ways: [(to: String, target: String, user: String)] {
        let addresses = internet.core.addresses
        return [
            (Internet.server, client.address, addresses.ipv4(.server)),
            (Internet.server6, client.address6, addresses.ipv6(.server)),
        ]
    }

    init(nat: String? = nil) throws {
        internet = try Internet()
        try internet.tunnel.changeServer { $0.nat = nat }
    }

    func start() throws {
        try internet.addDefault(0, "metric 100")
        try internet.addDefault(1, "metric 200")
        try internet.tunnel.start()
    }

    /// Hands services over as bondd-control does; returns bondd's objection.
    @discardableResult func carry(_ services: [HandedService]) throws -> String? {
        switch try ControlClient.ask(.carry(services), path: server.socket, timeout: 5000) as Response {
        case .ok: return nil
        case .failed(let sentence): return sentence
        case .carried(let refused): return refused.min { $0.key < $1.key }?.value
        default: return "no answer"
        }
    }

    func counters() throws -> [ServicePortCounters] {
        guard
            case .services(let counters) = try ControlClient.ask(
                .services, path: server.socket, timeout: 5000) as Response
        else { return [] }
        return counters.ports
    }

    func tcp(_ way: Int, port: UInt16 = 8080, to targetPort: UInt16 = 80) throws -> TCPProbe {
        try TCPProbe(
            from: user, to: client.namespace, ways[way].to, port: port,
            at: (ways[way].target, targetPort))
    }

    func udp(_ way: Int, port: UInt16 = 5353, to targetPort: UInt16 = 53) -> UDPProbe {
        UDPProbe(
            from: user, to: client.namespace, ways[way].to, port: port,
            at: (ways[way].target, targetPort))
    }

    /// Runs `body` with the tunnel up.
    static func run(nat: String? = nil, _ body: (ServiceWorld) throws -> Void) throws {
        let world = try ServiceWorld(nat: nat)
        defer { world.internet.close() }
        try world.start()
        try body(world)
    }

    /// A service that leads to the client.
    func service(
        _ rule: String, _ transport: String = "tcp", ports: ClosedRange<Int> = 8080...8080,
        to target: Int = 80,
        way: Int = 0, accepts: Bool = true
    ) -> HandedService {
        HandedService(
            rule: rule, transport: transport, firstPort: ports.lowerBound, lastPort: ports.upperBound,
            target: ways[way].target, targetPort: target, accepts: accepts)
    }

    /// Everything that bondd may change on a host: nftables, sysctls, routes and rules.
    func surface(of host: Namespace) throws -> [String] {
        let parameters =
            "cd /proc/sys/net && grep -s . ipv4/ip_forward ipv?/conf/*/forwarding ipv?/conf/*/accept_redirects ipv6/conf/*/accept_ra ipv4/conf/*/rp_filter"
        var texts = [
            try host.run(["nft", "-s", "list", "ruleset"]), try host.run(["sh", "-c", parameters]),
        ]
        for family in ["-4", "-6"] {
            texts.append(try host.run(["ip", family, "route", "show", "table", "all"]))
            texts.append(try host.run(["ip", family, "rule", "show"]))
        }
        // An interface's own link-local address differs each time.
        return texts.map { text in
            text.split(separator: "\n").filter { !$0.contains("local fe80") }.joined(separator: "\n")
        }
    }
}
