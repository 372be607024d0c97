import Glibc
import Host
import Packet
import Runtime
import Settings

/// Networks that exist twice, and interfaces that are missing.
struct AddressCheck: HostCheck {
    func findings(_ examination: Examination) -> [Finding] {
        guard let configuration = examination.configuration else { return [] }
        let findings = HostFit(configuration: configuration, facts: examination.facts).findings
        return findings.isEmpty
            ? [.ok("addresses", "the tunnel's networks and names are unique on this host")] : findings
    }
}

/// Routes that override a full tunnel: more specific ones in the main table, through a router outside.
struct RouteCheck: HostCheck {
    /// Maximum number of routes named.
    private static let mostNamed = 3

    func findings(_ examination: Examination) -> [Finding] {
        guard let client = examination.client else { return [] }
        let full = Set((client.routes ?? []).filter { $0.length == 0 }.map(\.address.family))
        guard !full.isEmpty else { return [.ok("routes", "only some networks go into the tunnel")] }
        return [Self.judge(examination.facts, families: full, tunnel: examination.tunnel)]
    }

    static func judge(_ facts: HostFacts, families: Set<IPAddress.Family>, tunnel: String) -> Finding {
        let own = facts.interface(named: tunnel)?.index
        let past = facts.routes.filter { route in
            route.table == NetworkRoute.mainTable && route.kind == .unicast && route.network.length > 0
                && families.contains(route.network.address.family) && route.interface != own
                && route.gateway != nil && route.origin != NetworkRoute.ownOrigin
                // A network of the site behind one of its routers is meant to be reached there.
                && (route.network.length < 8 || route.network.address.isOnInternet)
        }
        guard let first = past.first else { return .ok("routes", "none bypasses the tunnel") }
        let names = past.prefix(mostNamed).map { "\($0.network) by \(facts.name(of: $0.interface))" }
        let more = past.count > mostNamed ? " and \(past.count - mostNamed) more" : ""
        return .warn(
            "routes", "these bypass the tunnel: \(names.joined(separator: ", "))\(more)",
            "if that is not intended: ip route del \(first.network) dev \(facts.name(of: first.interface)); often a DHCP server has sent it (option 121)"
        )
    }
}

/// The kernel's reverse-path filter, where two uplinks can't be distinguished by their addresses.
struct ReversePathCheck: HostCheck {
    func findings(_ examination: Examination) -> [Finding] {
        guard let client = examination.client else { return [] }
        let uplinks = examination.facts.uplinks(of: client, tunnel: examination.tunnel)
        return Self.judge(uplinks, strict: uplinks.filter(Self.isStrict), examination.facts)
    }

    /// Whether packets must arrive on the interface that replies to them would leave by. The kernel takes the
    /// higher of the interface's value and that of `all`.
    static func isStrict(_ interface: String) -> Bool { max(filter("all"), filter(interface)) == 1 }

    private static func filter(_ interface: String) -> Int {
        guard !interface.contains("/"),
            let text = try? TextFile.read("/proc/sys/net/ipv4/conf/\(interface)/rp_filter", limit: 64)
        else { return 0 }
        return text.split(whereSeparator: \.isWhitespace).first.flatMap { Int($0) } ?? 0
    }

    static func judge(_ uplinks: [String], strict: [String], _ facts: HostFacts) -> [Finding] {
        var findings: [Finding] = []
        let addresses = facts.addresses.filter {
            uplinks.contains($0.interface) && $0.network.address.family == .v4
        }
        for name in strict {
            let own = addresses.filter { $0.interface == name }.map(\.network)
            let twin = addresses.first { other in
                other.interface != name && own.contains { $0.network == other.network.network }
            }
            guard let twin else { continue }
            findings.append(
                .warn(
                    "rp_filter",
                    "\(name) and \(twin.interface) have the same network (\(twin.network.network)), and strict reverse-path filtering drops packets that arrive on one of them",
                    "sysctl -w net.ipv4.conf.\(name).rp_filter=2, or give one of the routers another network")
            )
        }
        return findings.isEmpty && !uplinks.isEmpty
            ? [.ok("rp_filter", "drops no packets of the uplinks")] : findings
    }
}

/// A server's firewalls: chains that drop packets forwarded for clients and services.
struct FirewallCheck: HostCheck {
    func findings(_ examination: Examination) -> [Finding] {
        guard let server = examination.server, let configuration = examination.configuration else {
            return []
        }
        let forwards = server.nat?.enabled == true || !server.rules.isEmpty || server.portunus != nil
        guard examination.isRoot else { return [.warn("firewall", "not checked", "run this as root")] }
        var findings = Self.input(server)
        guard forwards else {
            return findings.isEmpty
                ? [.ok("firewall", "no other firewall drops what clients send here")] : findings
        }
        if examination.status != nil {
            for (family, path) in [("IPv4", "net/ipv4/ip_forward"), ("IPv6", "net/ipv6/conf/all/forwarding")]
            where configuration.tunnel.addresses.contains(where: {
                ($0.address.family == .v4) == (family == "IPv4")
            }) {
                let value = (try? TextFile.read("/proc/sys/\(path)", limit: 64))?.first
                if value == "0" {
                    findings.append(
                        .fail(
                            "forwarding", "this host does not forward \(family)",
                            "sysctl -w \(path.replacing("/", with: "."))=1, and find what switches it off"))
                }
            }
        }
        do throws(HostError) {
            let foreign = try Self.forward(server, configuration)
            findings += foreign.map { .told("firewall", .fail, $0.sentence) }
        } catch {
            return findings + [.told("firewall", .warn, error.description)]
        }
        if let blind = ForeignFirewall.blindSpot { findings.append(.told("firewall", .warn, blind)) }
        return findings.isEmpty
            ? [.ok("firewall", "no other firewall drops what this server forwards")] : findings
    }

    /// Chains of other programs that drop packets to this server's own ports.
    private static func input(_ server: Configuration.Server) -> [Finding] {
        let uses = Set(server.listen.map(\.port)).sorted().map {
            PortUse(.udp, $0...$0, purpose: "where clients reach this server")
        }
        return ((try? ForeignFirewall.blocking(input: uses)) ?? []).map {
            .told("firewall", $0.isProblem ? .fail : .warn, $0.sentence)
        }
    }

    private static func egress(
        _ server: Configuration.Server, _ netlink: borrowing Netlink, _ tunnel: String
    ) throws(HostError) -> [String] {
        if let egress = server.nat?.egress { return egress }
        return try netlink.defaultInterfaces(except: tunnel)
    }

    /// Chains of other programs that drop forwarded packets. The daemon's status has those that drop packets
    /// to this host itself.
    private static func forward(
        _ server: Configuration.Server, _ configuration: Configuration
    ) throws(HostError) -> [ForeignFirewall] {
        let netlink = try Netlink()
        let tunnel = configuration.tunnel.interface
        let exits = try egress(server, netlink, tunnel)
        let isOut = server.nat?.enabled == true
        return try ForeignFirewall.find(
            try FirewallSocket(), tunnel: tunnel,
            networks: isOut ? configuration.tunnel.addresses.map(\.network) : [], egress: exits,
            services: server.rules.isEmpty
                ? [] : Set(configuration.tunnel.addresses.map(\.address.family)))
    }
}
