import Glibc
import Packet
import Runtime
import Settings

/// Another program's chain that drops packets a server should forward. A packet accepted by one table can still
/// be dropped by another, so only the owner of the chain can fix that.
package struct ForeignFirewall: Hashable, Sendable {
    /// The program that created the table, judged by its chains.
    enum Tool: Hashable, Sendable {
        case docker
        case ufw
        case firewalld
        case other

        /// The start of a sentence about it.
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
    /// Whether it drops packets of services, rather than those of clients.
    let isOfServices: Bool
    /// The IP versions dropped.
    var families: [IPAddress.Family]

    /// One sentence that identifies the chain and says what to do.
    package var sentence: String {
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

    /// The command that lets packets of services through in both directions: users' packets and the replies.
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

    /// The chains that drop new packets from the tunnel to an egress interface or the replies, and those that
    /// drop packets arriving there for a service or the replies.
    /// - Parameters:
    ///   - networks: the tunnel's networks, if clients should reach the internet.
    ///   - services: the IP versions of services carried by the kernel.
    package static func find(
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
        // Several tables of one program, such as Docker's for IPv4 and IPv6, remain separate findings.
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
    /// Packets of services: users' packets and the replies.
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

    /// A warning about rules that cannot be read: those of legacy iptables, which has its own interface. Nil if
    /// there are none.
    package static var blindSpot: String? {
        var isThere = false
        for file in ["ip_tables_names", "ip6_tables_names"] {
            guard let text = try? TextFile.read("/proc/thread-self/net/\(file)", limit: 4096) else {
                continue
            }
            if text.split(separator: "\n").contains("filter") { isThere = true }
        }
        return isThere
            ? "iptables-legacy has a filter table, whose rules bondd cannot read; if clients cannot reach beyond this host or services do not answer, check: iptables-legacy -L FORWARD"
            : nil
    }
}
