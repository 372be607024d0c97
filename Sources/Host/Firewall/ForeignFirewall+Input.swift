import Packet

/// Ports of this host that have to be reachable from outside.
package struct PortUse: Hashable, Sendable {
    /// The transport protocol.
    package let transport: TransportProtocol
    /// The ports.
    package let ports: ClosedRange<UInt16>
    /// The IP versions over which they are used.
    package let families: [IPAddress.Family]
    /// A clause that says what the ports are for, such as `where clients reach this server`.
    package let purpose: String
    /// Whether the purpose can also be served in another way, such as over the other IP version through the
    /// kernel.
    package let isOptional: Bool

    /// Ports and their purpose.
    package init(
        _ transport: TransportProtocol, _ ports: ClosedRange<UInt16>,
        families: [IPAddress.Family] = [.v4, .v6], purpose: String, isOptional: Bool = false
    ) {
        (self.transport, self.ports) = (transport, ports)
        (self.families, self.purpose, self.isOptional) = (families, purpose, isOptional)
    }
}

// Other programs' chains in the input hook, which see packets to this host's own sockets. Forwarded packets, including those
// to services carried by the kernel, do not pass through it.
extension ForeignFirewall {
    /// A chain that drops packets to ports of this host.
    package struct Finding: Hashable, Sendable {
        /// The ports.
        package let use: PortUse
        /// The IP versions dropped.
        package internal(set) var families: [IPAddress.Family]
        /// Whether all such packets are dropped. When false, some may pass, for example by a rule for certain sources.
        package let isCertain: Bool
        let family: UInt16
        let table: String
        let chain: String
        let tool: Tool

        /// Whether the ports' purpose can't be served.
        package var isProblem: Bool { isCertain && !use.isOptional }

        /// One sentence that names the chain and the command that helps.
        package var sentence: String {
            let versions = families.map { $0 == .v4 ? "IPv4" : "IPv6" }.joined(separator: " and ")
            let what = isCertain ? versions : "some \(versions)"
            return
                "\(tool.maker)drops \(what) packets to \(use.transport.word.uppercased()) port \(ports("-")), \(use.purpose) (chain \(chain) of table \(ForeignFirewall.word(family)) \(table)); run: \(remedy)"
        }

        /// The command that opens the ports.
        package var remedy: String {
            let word = use.transport.word
            switch tool {
            case .ufw: return "ufw allow \(ports(":"))/\(word)"
            case .firewalld:
                return
                    "firewall-cmd --permanent --add-port=\(ports("-"))/\(word) && firewall-cmd --reload"
            case .docker, .other:
                // The names used by iptables-nft.
                guard family != FirewallBatch.inet, table == "filter", chain == "INPUT" else {
                    return
                        "nft insert rule \(ForeignFirewall.word(family)) \(table) \(chain) \(word) dport \(ports("-")) accept"
                }
                let program = family == 2 ? "iptables" : "ip6tables"
                return "\(program) -I INPUT -p \(word) --dport \(ports(":")) -j ACCEPT"
            }
        }

        private func ports(_ dash: String) -> String {
            use.ports.count == 1
                ? "\(use.ports.lowerBound)" : "\(use.ports.lowerBound)\(dash)\(use.ports.upperBound)"
        }
    }

    /// The chains that drop connection attempts to ports of this host.
    /// - Parameters:
    ///   - uses: the ports.
    ///   - interfaces: the interfaces by which packets arrive, by default those with a default route of the IP version. A
    ///     port that is open on one of them is not reported.
    /// - Throws: `HostError` if the ruleset or the routes cannot be read.
    package static func blocking(
        input uses: [PortUse], from interfaces: [String]? = nil
    ) throws(HostError) -> [Finding] {
        let socket = try FirewallSocket()
        let netlink = try Netlink()
        // NF_INET_LOCAL_IN of inet, ip and ip6.
        let chains = try socket.chains()
        let bases = chains.filter { base in
            base.hook == 1 && [1, 2, 10].contains(base.family)
                && !(base.family == FirewallBatch.inet && base.table.hasPrefix("bondd"))
        }
        guard !bases.isEmpty, !uses.isEmpty else { return [] }
        var ways: [IPAddress.Family: [String]] = [:]
        for route in interfaces == nil ? try netlink.routes() : [] {
            guard route.table == NetworkRoute.mainTable, route.network.length == 0, route.kind == .unicast,
                let interface = try netlink.interface(index: route.interface), interface.name != "lo"
            else { continue }
            ways[route.network.address.family, default: []].append(interface.name)
        }
        var found: [Finding] = []
        for base in bases {
            let own = chains.filter { $0.family == base.family && $0.table == base.table }
            let reader = TableReader(family: base.family, table: base.table, chains: own.map(\.name))
            for use in uses {
                for family in use.families where base.family == 1 || (base.family == 2) == (family == .v4) {
                    let links = Set(interfaces ?? ways[family] ?? [])
                    let drops = links.sorted().map { reader.drop(use, family, from: $0, in: base, socket) }
                    // One open interface is enough.
                    guard let first = drops.first, let (drop, isCertain) = first,
                        !drops.contains(where: { $0 == nil })
                    else { continue }
                    note(drop, isCertain, use, family, own.map(\.name), &found)
                }
            }
        }
        return found
    }

    private static func note(
        _ drop: RulesetWalk.Drop, _ isCertain: Bool, _ use: PortUse, _ family: IPAddress.Family,
        _ names: [String], _ found: inout [Finding]
    ) {
        let tool = tool(of: drop, names)
        // ufw has one table for each IP version, and one command for both.
        let same = found.firstIndex {
            $0.use == use && $0.tool == tool && $0.isCertain == isCertain
                && ($0.tool == .ufw || $0.family == drop.base.family && $0.table == drop.base.table)
        }
        if let same {
            if !found[same].families.contains(family) { found[same].families.append(family) }
            return
        }
        found.append(
            Finding(
                use: use, families: [family], isCertain: isCertain, family: drop.base.family,
                table: drop.base.table, chain: drop.base.name, tool: tool))
    }

    /// Reads the chains and sets of a table, each once.
    private final class TableReader {
        private let family: UInt16
        private let table: String
        private let chains: Set<String>
        private var rules: [String: [RulesetRule]] = [:]
        private var sets: [String: RulesetSet?] = [:]

        init(family: UInt16, table: String, chains: [String]) {
            (self.family, self.table, self.chains) = (family, table, Set(chains))
        }

        /// Where a packet to the first or last of the ports is dropped, or nil when both pass.
        func drop(
            _ use: PortUse, _ version: IPAddress.Family, from interface: String, in base: RulesetChain,
            _ socket: borrowing FirewallSocket
        ) -> (RulesetWalk.Drop, isCertain: Bool)? {
            // Loaded in advance, because escaping closures cannot borrow the socket.
            load(socket)
            for port in Set([use.ports.lowerBound, use.ports.upperBound]).sorted() {
                let probe = InputProbe(
                    family: version, from: interface, transport: use.transport.rawValue, port: port
                ) { self.sets[$0] ?? nil }
                if let drop = probe.drop(in: base, rules: { self.rules[$0] ?? [] }) {
                    return (drop, !probe.someMayPass)
                }
            }
            return nil
        }

        private func load(_ socket: borrowing FirewallSocket) {
            guard rules.isEmpty else { return }
            for chain in chains {
                let list = (try? socket.rules(family: family, table: table, chain: chain)) ?? []
                rules[chain] = list
                for case .lookup(_, let name, _, _) in list.flatMap(\.steps) where sets[name] == nil {
                    sets[name] = .some(try? socket.set(name, family: family, table: table))
                }
            }
        }
    }
}
