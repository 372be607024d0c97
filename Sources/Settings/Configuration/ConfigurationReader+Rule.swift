import Packet

extension ConfigurationReader {
    /// `[[rule]]`: name, protocol, listen_port or listen_ports, target or targets and their options.
    func rules() throws(ConfigurationError) -> [Configuration.Rule] {
        let keys = [
            "name", "protocol", "listen_port", "listen_ports", "target", "targets", "prefer_ipv6",
            "udp_max_flows", "udp_flow_idle_secs",
        ]
        var rules: [Configuration.Rule] = []
        for table in try root.tables("rule", keys: keys) {
            guard let name = try name("name", in: table) else { throw table.error("needs name = \"NAME\"") }
            if rules.contains(where: { $0.name == name }) {
                throw table.error("name", table["name"]!, "is used twice; give every rule its own")
            }
            guard
                let transport = try table.choice("protocol", "protocol", of: Configuration.RuleTransport.self)
            else { throw table.error("needs protocol = \"tcp\" or protocol = \"udp\"") }
            let ports = try listenPorts(table)
            rules.append(
                Configuration.Rule(
                    name: name, transport: transport, ports: ports, targets: try targets(table, ports),
                    preferIPv6: try table.boolean("prefer_ipv6") ?? false,
                    maximumUDPFlows: try table.integer("udp_max_flows", in: 1...1_000_000) ?? 1024,
                    udpFlowIdle: try table.integer("udp_flow_idle_secs", in: 1...86400) ?? 60))
        }
        return rules
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
            return ports
        case (nil, nil): throw table.error("needs listen_port = PORT or listen_ports = \"FIRST-LAST\"")
        default: throw table.error("has listen_port and listen_ports; remove one")
        }
    }

    private func targets(
        _ table: TOMLTable, _ ports: ClosedRange<UInt16>
    ) throws(ConfigurationError) -> [Configuration.RuleTarget] {
        let single = try table.string("target")
        if let single, table["targets"] == nil {
            guard let target = Self.target(single, priority: 0, proxyProtocol: false) else {
                throw table.error("target", table["target"]!, "is not HOST:PORT or HOST:FIRST-LAST")
            }
            guard target.ports.count == ports.count || target.ports.count == 1 else {
                throw table.error("target", table["target"]!, "has not as many ports as the rule listens on")
            }
            return [target]
        }
        guard single == nil else { throw table.error("has target and targets; remove one") }
        guard table["targets"] != nil else { throw table.error("needs target = \"HOST:PORT\" or targets") }
        var targets: [Configuration.RuleTarget] = []
        for item in try table.tables("targets", keys: ["host", "port", "priority", "proxy_protocol"]) {
            guard let host = try item.string("host"), let port = try item.integer("port", in: 1...65535)
            else {
                throw item.error("needs host = \"HOST\" and port = PORT")
            }
            let text = host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
            let priority = try item.integer("priority", in: 0...65535) ?? 0
            let proxy = try item.boolean("proxy_protocol") ?? false
            guard let target = Self.target(text, priority: priority, proxyProtocol: proxy) else {
                throw item.error("host", item["host"]!, "is neither an address nor a name")
            }
            targets.append(target)
        }
        guard !targets.isEmpty else { throw table.error("needs at least one target in targets") }
        return targets
    }

    private static func target(
        _ text: String, priority: Int, proxyProtocol: Bool
    ) -> Configuration.RuleTarget? {
        guard let colon = text.lastIndex(of: ":"),
            let ports = ports(String(text[text.index(after: colon)...])),
            let host = HostPort(text[...colon] + "\(ports.lowerBound)")
        else { return nil }
        return Configuration.RuleTarget(
            host: host.host, ports: ports, priority: priority, proxyProtocol: proxyProtocol)
    }

    /// `80` or `8000-8010`.
    private static func ports(_ text: String) -> ClosedRange<UInt16>? {
        let ends = text.split(separator: "-", omittingEmptySubsequences: false).map { UInt16($0) }
        guard ends.count <= 2, let first = ends.first ?? nil, let last = ends.last ?? nil, first > 0,
            first <= last
        else { return nil }
        return first...last
    }
}
