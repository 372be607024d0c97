import Glibc
import Packet
import Runtime
import Settings

/// Somebody else's chain that drops what a server ought to forward. What one table accepts another may drop still, so
/// only who made it can mend that.
public struct ForeignFirewall: Hashable, Sendable {
    /// Who made the table, as its chains tell.
    enum Tool: Hashable, Sendable {
        case docker
        case ufw
        case firewalld
        case other

        /// How a sentence about it begins.
        var maker: String {
            switch self {
            case .docker: "Docker's firewall "
            case .ufw: "ufw "
            case .firewalld: "firewalld "
            case .other: "another firewall "
            }
        }
    }

    let family: UInt16
    let table: String
    let chain: String
    let tool: Tool
    /// The tunnel's interface.
    let tunnel: String
    /// Whether it drops what belongs to services, and not what belongs to clients.
    let isOfServices: Bool
    /// The IP versions that are dropped.
    var families: [IPAddress.Family]

    /// One sentence that says which it is and what to do.
    public var sentence: String {
        let versions = families.map { $0 == .v4 ? "IPv4" : "IPv6" }.joined(separator: " and ")
        let place = "chain \(chain) of table \(word) \(table)"
        let whose =
            isOfServices
            ? "new \(versions) packets to services" : "the clients' forwarded \(versions) packets"
        return "\(maker)drops \(whose) (\(place)); " + (isOfServices ? serviceRemedy : remedy)
    }

    private var word: String { Self.word(family) }

    /// nft's word for a family.
    static func word(_ family: UInt16) -> String { [1: "inet", 2: "ip", 10: "ip6"][family] ?? "\(family)" }

    private var maker: String { tool.maker }

    private var remedy: String {
        switch tool {
        case .docker:
            return families.map { family in
                let program = family == .v4 ? "iptables" : "ip6tables"
                return
                    "run: \(program) -I DOCKER-USER -i \(tunnel) -j ACCEPT && \(program) -I DOCKER-USER -o \(tunnel) -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT"
            }.joined(separator: " and ")
        case .ufw: return "run: ufw route allow in on \(tunnel)"
        case .firewalld:
            return
                "run: firewall-cmd --permanent --zone=trusted --add-interface=\(tunnel) && firewall-cmd --reload"
        case .other:
            let rule = "nft insert rule \(word) \(table) \(chain)"
            return
                "run: \(rule) iifname \"\(tunnel)\" accept && \(rule) oifname \"\(tunnel)\" ct state established,related accept"
        }
    }

    /// What lets services' packets through both ways: those of users, and the answers.
    private var serviceRemedy: String {
        switch tool {
        case .docker:
            let commands = families.map { family in
                let program = family == .v4 ? "iptables" : "ip6tables"
                let rules = ["-o", "-i"].map {
                    "\(program) -I DOCKER-USER \($0) \(tunnel) -m conntrack --ctstate DNAT -j ACCEPT"
                }
                return "\(rules[0]) && \(rules[1])"
            }
            return "run: " + commands.joined(separator: " and ")
        case .ufw: return "run: ufw route allow out on \(tunnel)"
        case .firewalld: return remedy
        case .other:
            let rule = "nft insert rule \(word) \(table) \(chain)"
            return
                "run: \(rule) oifname \"\(tunnel)\" ct status dnat accept && \(rule) iifname \"\(tunnel)\" ct status dnat accept"
        }
    }

    /// Those that drop new packets from the tunnel into an egress interface, or answers to them; and those that drop what
    /// comes in by one for a service, or the answers.
    /// - Parameters:
    ///   - networks: the tunnel's, if clients are to reach the internet.
    ///   - services: the IP versions of services that the kernel carries.
    public static func find(
        _ socket: borrowing FirewallSocket, tunnel: String, networks: [CIDR], egress: [String],
        services: Set<IPAddress.Family> = []
    ) throws(HostError) -> [ForeignFirewall] {
        let chains = try socket.chains()
        var found: [ForeignFirewall] = []
        var known: [RulesetChain: [RulesetRule]] = [:]
        // NF_INET_FORWARD of inet, ip and ip6.
        for base in chains where base.hook == 2 && [1, 2, 10].contains(base.family) {
            if base.family == FirewallBatch.inet && base.table.hasPrefix("bondd") { continue }
            let own = chains.filter { $0.family == base.family && $0.table == base.table }
            for probe in probes(tunnel, networks, egress) + probes(tunnel, services, egress)
            where base.family == 1 || (base.family == 2) == (probe.family == .v4) {
                let drop = probe.drop(in: base) { name in
                    guard let chain = own.first(where: { $0.name == name }) else { return [] }
                    if let rules = known[chain] { return rules }
                    let rules =
                        (try? socket.rules(family: chain.family, table: chain.table, chain: name)) ?? []
                    known[chain] = rules
                    return rules
                }
                guard let drop else { continue }
                note(drop, probe, own.map(\.name), &found)
            }
        }
        return found
    }

    private static func note(
        _ drop: RulesetWalk.Drop, _ probe: ForwardProbe, _ names: [String], _ found: inout [ForeignFirewall]
    ) {
        let tool = tool(of: drop, names)
        // Several tables of one tool, such as Docker's for IPv4 and IPv6, are still to be told apart.
        let same = found.firstIndex {
            $0.family == drop.base.family && $0.table == drop.base.table && $0.tool == tool
                && $0.isOfServices == probe.isService
        }
        if let same {
            if !found[same].families.contains(probe.family) { found[same].families.append(probe.family) }
        } else {
            found.append(
                ForeignFirewall(
                    family: drop.base.family, table: drop.base.table, chain: drop.base.name, tool: tool,
                    tunnel: probe.tunnel, isOfServices: probe.isService, families: [probe.family]))
        }
    }

    /// The program that made the table, judged by its name and those of its chains.
    static func tool(of drop: RulesetWalk.Drop, _ names: [String]) -> Tool {
        if drop.base.table == "firewalld" { return .firewalld }
        if drop.chain.hasPrefix("ufw") { return .ufw }
        if names.contains("DOCKER-USER") && drop.base.hook == 2 { return .docker }
        return names.contains { $0.hasPrefix("ufw-") || $0.hasPrefix("ufw6-") } ? .ufw : .other
    }

    private static func probes(_ tunnel: String, _ networks: [CIDR], _ egress: [String]) -> [ForwardProbe] {
        egress.flatMap { exit in
            networks.flatMap { network in
                [
                    ForwardProbe(
                        family: network.address.family, from: tunnel, into: exit, source: network.address,
                        isAnswer: false, tunnel: tunnel),
                    ForwardProbe(
                        family: network.address.family, from: exit, into: tunnel, source: nil,
                        isAnswer: true, tunnel: tunnel),
                ]
            }
        }
    }
}

extension ForeignFirewall {
    /// Packets of services: users' and the answers.
    private static func probes(
        _ tunnel: String, _ services: Set<IPAddress.Family>, _ egress: [String]
    ) -> [ForwardProbe] {
        egress.flatMap { exit in
            [IPAddress.Family.v4, .v6].filter { services.contains($0) }.flatMap { family in
                [
                    ForwardProbe(
                        family: family, from: exit, into: tunnel, source: nil, isAnswer: false,
                        tunnel: tunnel, isService: true),
                    ForwardProbe(
                        family: family, from: tunnel, into: exit, source: nil, isAnswer: true,
                        tunnel: tunnel, isService: true),
                ]
            }
        }
    }

    /// What can't be seen: rules of the old iptables, which has its own door. Nil when there are none.
    public static var blindSpot: String? {
        var isThere = false
        for file in ["ip_tables_names", "ip6_tables_names"] {
            guard let text = try? TextFile.read("/proc/thread-self/net/\(file)", limit: 4096) else {
                continue
            }
            if text.split(separator: "\n").contains("filter") { isThere = true }
        }
        return isThere
            ? "iptables-legacy has a filter table, whose rules bondd does not read; if clients reach no further than this host or services don't answer, look at: iptables-legacy -L FORWARD"
            : nil
    }
}
