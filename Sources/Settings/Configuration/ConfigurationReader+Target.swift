import Packet
import Rules

// The targets of rules.
extension ConfigurationReader {
    /// Reads `target` or `targets`.
    func targets(
        _ table: TOMLTable, _ ports: ClosedRange<UInt16>, _ transport: TransportProtocol
    ) throws(ConfigurationError) -> [RuleTarget] {
        switch (try table.string("target"), table["targets"]) {
        case (let text?, nil): return [try target(text, table, ports)]
        case (nil, .some): break
        case (nil, nil): throw table.error("needs target = \"HOST:PORT\" or targets")
        default: throw table.error("has target and targets; remove one")
        }
        guard ports.count == 1 else {
            throw table.error(
                "has listen_ports and targets; a range of ports has one target = \"HOST:FIRST-LAST\"")
        }
        var targets: [RuleTarget] = []
        for item in try table.tables("targets", keys: ["host", "port", "priority", "proxy_protocol"]) {
            let target = try self.target(item, transport)
            if targets.contains(where: { $0.host == target.host && $0.port == target.port }) {
                throw item.error("\(target.host) with port \(target.port) is listed twice; remove one")
            }
            targets.append(target)
        }
        guard (1...Rule.maximumTargets).contains(targets.count) else {
            throw table.error("has \(targets.count) targets; give 1 to \(Rule.maximumTargets)")
        }
        return targets
    }

    private func target(
        _ text: String, _ table: TOMLTable, _ ports: ClosedRange<UInt16>
    ) throws(ConfigurationError) -> RuleTarget {
        guard let colon = text.lastIndex(of: ":"),
            let own = Self.ports(String(text[text.index(after: colon)...])),
            let host = HostPort(text[...colon] + "\(own.lowerBound)")
        else { throw table.error("target", table["target"]!, "is not HOST:PORT or HOST:FIRST-LAST") }
        guard own.count == ports.count else {
            throw table.error("target", table["target"]!, "must have as many ports as the rule listens on")
        }
        return RuleTarget(
            host: host.host, port: own.lowerBound)
    }

    private func target(
        _ table: TOMLTable, _ transport: TransportProtocol
    ) throws(ConfigurationError) -> RuleTarget {
        guard let host = try table.string("host"), let port = try table.integer("port", in: 1...65535) else {
            throw table.error("needs host = \"HOST\" and port = PORT")
        }
        guard let target = HostPort(host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)") else {
            throw table.error("host", table["host"]!, "is neither an address nor a name")
        }
        let version = try proxyProtocol(table)
        if version != nil && transport == .udp {
            throw table.error("proxy_protocol", table["proxy_protocol"]!, "is for tcp; remove it")
        }
        return RuleTarget(
            host: target.host, port: target.port,
            priority: try table.unsigned("priority", in: 0...65535) ?? 0, proxy: version)
    }

    /// Reads `"v1"`, `"v2"`, 1 or 2; true means version 2, which carries more and parses faster.
    private func proxyProtocol(_ table: TOMLTable) throws(ConfigurationError) -> ProxyVersion? {
        switch table["proxy_protocol"]?.content {
        case nil, .boolean(false): return nil
        case .boolean(true), .integer(2), .string("v2"): return .v2
        case .integer(1), .string("v1"): return .v1
        default:
            throw table.error(
                "proxy_protocol", table["proxy_protocol"]!, "is not a version; use \"v1\" or \"v2\"")
        }
    }
}
