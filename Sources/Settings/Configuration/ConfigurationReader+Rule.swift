import Packet
import Rules

extension ConfigurationReader {
    /// Reads `[portunus]`.
    func portunus() throws(ConfigurationError) -> Configuration.Portunus? {
        guard let table = try root.table("portunus", keys: ["bundle_file", "allow_outside"]) else {
            return nil
        }
        return Configuration.Portunus(
            bundleFile: try table.string("bundle_file").map(relative),
            allowsOutside: try table.boolean("allow_outside") ?? false)
    }

    /// Reads `[[rule]]`: name, protocol, listen_port or listen_ports, target or targets and their options.
    func rules(
        _ tunnel: Configuration.Tunnel, listen: [Endpoint], health: Endpoint?
    ) throws(ConfigurationError) -> [Rule] {
        let keys = [
            "name", "protocol", "listen_port", "listen_ports", "listen_address", "target", "targets",
            "server_name",
            "prefer_ipv6",
            "health_check_interval_secs", "udp_max_flows", "udp_flow_idle_secs", "limit", "allow_outside",
        ]
        var rules: [Rule] = []
        for table in try root.tables("rule", keys: keys) {
            let rule = try rule(table)
            if rules.contains(where: { $0.id == rule.id }) {
                throw table.error("name", table["name"]!, "is used twice; give every rule its own")
            }
            if rule.transport == .udp, let own = listen.first(where: { rule.ports.contains($0.port) }) {
                throw table.error(
                    "\"\(rule.id)\" listens on udp port \(own.port), which is bondd's own; use another")
            }
            if rule.transport == .tcp, let health, rule.ports.contains(health.port) {
                throw table.error(
                    "\"\(rule.id)\" listens on tcp port \(health.port), where [health] is served; use another"
                )
            }
            for other in rules {
                if let clash = Self.clash(rule, other) { throw table.error(clash) }
            }
            if !rule.mayLeaveTunnel { try checkTargets(of: rule, table, tunnel) }
            rules.append(rule)
        }
        return rules
    }

    private func rule(_ table: TOMLTable) throws(ConfigurationError) -> Rule {
        guard let name = try name("name", in: table) else { throw table.error("needs name = \"NAME\"") }
        guard name.utf8.contains(where: { !(48...57).contains($0) }) else {
            throw table.error(
                "name", table["name"]!, "is a number, as a control plane's rules have; add a letter")
        }
        guard let transport = try table.choice("protocol", "protocol", of: TransportProtocol.self)
        else { throw table.error("needs protocol = \"tcp\" or protocol = \"udp\"") }
        let ports = try listenPorts(table)
        let interval = try table.integer("health_check_interval_secs", in: 0...3600) ?? 0
        if interval > 0 && transport == .udp {
            throw table.error(
                "health_check_interval_secs", table["health_check_interval_secs"]!,
                "is for tcp, as targets are probed by connecting to them; remove it")
        }
        return Rule(
            id: .named(name), transport: transport, ports: ports,
            listenAddress: try listenAddress(table), targets: try targets(table, ports, transport),
            listsTargets: table["targets"] != nil, prefersIPv6: try table.boolean("prefer_ipv6") ?? false,
            probeInterval: interval, serverName: try serverName(table, ports, transport),
            limit: try limit(table), maximumFlows: try table.integer("udp_max_flows", in: 1...1_000_000),
            flowIdle: try table.integer("udp_flow_idle_secs", in: 1...86400),
            mayLeaveTunnel: try table.boolean("allow_outside") ?? false)
    }

    private func listenAddress(_ table: TOMLTable) throws(ConfigurationError) -> IPAddress? {
        guard let text = try table.string("listen_address") else { return nil }
        guard let address = IPAddress(text), address != IPAddress(v4: 0),
            address != IPAddress(v6High: 0, low: 0)
        else {
            throw table.error(
                "listen_address", table["listen_address"]!,
                "is not an address of this host such as 203.0.113.7; correct it, or remove it to listen on every one"
            )
        }
        return address
    }

    private func listenPorts(_ table: TOMLTable) throws(ConfigurationError) -> ClosedRange<UInt16> {
        let single = try table.integer("listen_port", in: 1...65535)
        let several = try table.string("listen_ports")
        switch (single, several) {
        case (let port?, nil): return UInt16(port)...UInt16(port)
        case (nil, let text?):
            guard let ports = Self.ports(text) else {
                throw table.error("listen_ports", table["listen_ports"]!, "is not \"FIRST-LAST\"")
            }
            // Whatever way a rule of the file takes, it has as many ports as the kernel carries.
            guard ports.count <= Rule.maximumKernelPorts else {
                throw table.error(
                    "listen_ports", table["listen_ports"]!,
                    "are \(ports.count) ports; a rule has at most \(Rule.maximumKernelPorts)")
            }
            return ports
        case (nil, nil): throw table.error("needs listen_port = PORT or listen_ports = \"FIRST-LAST\"")
        default: throw table.error("has listen_port and listen_ports; remove one")
        }
    }

    private func serverName(
        _ table: TOMLTable, _ ports: ClosedRange<UInt16>, _ transport: TransportProtocol
    ) throws(ConfigurationError) -> String? {
        guard let name = try table.string("server_name") else { return nil }
        let value = table["server_name"]!
        guard transport == .tcp, ports.count == 1 else {
            throw table.error("server_name", value, "is for tcp rules with one port; remove it")
        }
        let host = name.hasPrefix("*.") ? name.dropFirst(2) : name[...]
        // A wildcard for a whole top-level domain is refused: it belongs to no single owner.
        guard let parsed = HostPort("\(host):1"), parsed.endpoint == nil,
            !name.hasPrefix("*.") || host.contains(".")
        else {
            throw table.error("server_name", value, "is not a name such as host.example or *.example.org")
        }
        return name.lowercased()
    }

    private func limit(_ table: TOMLTable) throws(ConfigurationError) -> RateLimit {
        var limit = RateLimit()
        guard let value = table["limit"] else { return limit }
        let keys = [
            "bytes_in", "bytes_out", "connections", "connection_rate", "burst_in", "burst_out",
            "connection_burst",
        ]
        let table = try TOMLTable(value, file: file, label: "[[rule]] limit", keys: keys)
        let bytes = 1...UInt64(1) << 50
        let count = 1...UInt32.max
        limit.bytesIn = try table.unsigned("bytes_in", in: bytes)
        limit.bytesOut = try table.unsigned("bytes_out", in: bytes)
        limit.connections = try table.unsigned("connections", in: count)
        limit.connectionRate = try table.unsigned("connection_rate", in: count)
        limit.burstIn = try table.unsigned("burst_in", in: bytes)
        limit.burstOut = try table.unsigned("burst_out", in: bytes)
        limit.connectionBurst = try table.unsigned("connection_burst", in: count)
        for (burst, rate) in [
            ("burst_in", "bytes_in"), ("burst_out", "bytes_out"), ("connection_burst", "connection_rate"),
        ] where table[burst] != nil && table[rate] == nil {
            throw table.error("has \(burst) without \(rate); add \(rate), or remove it")
        }
        return limit
    }

    /// Why the two rules conflict on a port; nil if they do not.
    private static func clash(_ rule: Rule, _ other: Rule) -> String? {
        guard rule.transport == other.transport, rule.ports.overlaps(other.ports),
            rule.listenAddress == nil || other.listenAddress == nil
                || rule.listenAddress == other.listenAddress
        else { return nil }
        let port = max(rule.ports.lowerBound, other.ports.lowerBound)
        let both =
            "\"\(rule.id)\" and \"\(other.id)\" both listen on \(rule.transport.word) port \(port)"
        if rule.listenAddress != other.listenAddress {
            return "\(both), one on every address; give both a listen_address, or use another port"
        }
        guard rule.serverName != nil || other.serverName != nil else {
            return "\(both); use another port, or server_name"
        }
        guard rule.ports.count == 1, other.ports.count == 1 else {
            return "\(both), and a port of a range can't be shared by server names; use another port"
        }
        if rule.serverName == other.serverName {
            return "\(both) for server_name = \"\(rule.serverName!)\"; remove one"
        }
        return nil
    }

    /// Checks that no target given as an address is outside the tunnel.
    private func checkTargets(
        of rule: Rule, _ table: TOMLTable, _ tunnel: Configuration.Tunnel
    ) throws(ConfigurationError) {
        for target in rule.targets {
            guard let address = IPAddress(target.host) else { continue }
            if tunnel.addresses.contains(where: { $0.address == address }) {
                throw table.error(
                    "\"\(rule.id)\" leads to \(address), which is this server itself; name a client's address, or add allow_outside = true"
                )
            }
            guard tunnel.addresses.contains(where: { $0.contains(address) }) else {
                let networks = TOMLTable.list(tunnel.addresses.map(\.network.description), last: "or")
                throw table.error(
                    "\"\(rule.id)\" leads to \(address), which is outside the tunnel; name an address in \(networks), or add allow_outside = true"
                )
            }
        }
    }

    /// Parses `80` or `8000-8010`.
    static func ports(_ text: String) -> ClosedRange<UInt16>? {
        let ends = text.split(separator: "-", omittingEmptySubsequences: false).map { UInt16($0) }
        guard ends.count <= 2, let first = ends.first ?? nil, let last = ends.last ?? nil, first > 0,
            first <= last
        else { return nil }
        return first...last
    }
}
