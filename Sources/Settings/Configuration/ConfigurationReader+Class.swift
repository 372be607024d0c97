import Packet
import Proto

extension ConfigurationReader {
    private static let classKeys = [
        "name", "dscp", "ports", "fwmark", "cgroup", "priority", "share", "ceiling_mbit",
    ]

    /// Reads `[[class]]`.
    func classes() throws(ConfigurationError) -> [Configuration.Class] {
        var classes: [Configuration.Class] = []
        let tables = try root.tables("class", keys: Self.classKeys)
        for (index, table) in tables.enumerated() {
            guard index < ServiceClass.maximumCount else {
                throw table.error(
                    "is one too many; at most \(ServiceClass.maximumCount) classes are possible")
            }
            let one = try serviceClass(table)
            guard one.service.name != "default",
                !classes.contains(where: { $0.service.name == one.service.name })
            else {
                throw table.error(
                    "name", table["name"]!, "is taken, by another class or the default one; use another")
            }
            classes.append(one)
            let share = classes.reduce(0) { $0 + Int($1.service.share) }
            if share > 100, let value = table["share"] {
                throw table.error("share", value, "makes \(share) % of all classes together; 100 is the most")
            }
            let ranges = classes.reduce(0) { $0 + $1.service.ports.count }
            if ranges > ServiceClass.maximumRanges, let value = table["ports"] {
                throw table.error(
                    "ports", value,
                    "makes \(ranges) ranges of all classes together; \(ServiceClass.maximumRanges) is the most"
                )
            }
        }
        try refuseLocalCodepoints(tables, classes)
        return classes
    }

    private func serviceClass(_ table: TOMLTable) throws(ConfigurationError) -> Configuration.Class {
        guard let name = try name("name", in: table) else { throw table.error("needs name = \"NAME\"") }
        guard name.utf8.count <= ServiceClass.longestName else {
            throw table.error(
                "name", table["name"]!,
                "is too long for a class; use at most \(ServiceClass.longestName) characters")
        }
        let problem = "is not PROTOCOL/PORT or PROTOCOL/FIRST-LAST such as udp/3478-3481"
        let codepoints = try table.integers("dscp", in: 0...63) ?? []
        let fwmark = try table.integer("fwmark", in: 1...0xFF_FFFF).map { UInt32($0) }
        let cgroup = try cgroup(table)
        let service = ServiceClass(
            name: name,
            priority: UInt8(try table.integer("priority", in: 0...3) ?? Int(ServiceClass.defaultPriority)),
            share: UInt8(try table.integer("share", in: 0...100) ?? 0),
            ceiling: UInt32(((try table.number("ceiling_mbit", in: 0...1_000_000) ?? 0) * 1000).rounded(.up)),
            codepoints: codepoints.reduce(0) { $0 | 1 << UInt64($1) },
            ports: try table.list("ports", problem, PortRange.init(text:)) ?? [],
            isMarkedHere: fwmark != nil || cgroup != nil)
        guard service.codepoints != 0 || !service.ports.isEmpty || service.isMarkedHere else {
            throw table.error("has no packets; give it dscp, ports, fwmark or cgroup")
        }
        return Configuration.Class(service: service, fwmark: fwmark, cgroup: cgroup)
    }

    /// Reads a control group's path, with or without the first slash.
    private func cgroup(_ table: TOMLTable) throws(ConfigurationError) -> String? {
        guard let text = try table.string("cgroup") else { return nil }
        let parts = text.split(separator: "/")
        guard !parts.isEmpty, parts.count <= 64, text.utf8.count <= 1024,
            !parts.contains(".") && !parts.contains("..")
        else {
            throw table.error(
                "cgroup", table["cgroup"]!,
                "is not a control group's path such as system.slice/backup.service")
        }
        return parts.joined(separator: "/")
    }

    /// The codepoints by which the firewall marks packets for classes mean nothing else on this host.
    private func refuseLocalCodepoints(
        _ tables: [TOMLTable], _ classes: [Configuration.Class]
    ) throws(ConfigurationError) {
        let marks = classes.indices.filter { classes[$0].service.isMarkedHere }.map {
            ServiceClass.localCodepoint($0)
        }
        for (table, one) in zip(tables, classes) {
            guard let mark = marks.first(where: { one.service.codepoints >> UInt64($0) & 1 == 1 }),
                let value = table["dscp"]
            else { continue }
            throw table.error(
                "dscp", value,
                "has \(mark), by which this host marks the packets of a class with fwmark or cgroup; use a DSCP that does not end in the bits 11"
            )
        }
    }
}

extension PortRange {
    /// Reads `udp/3478` or `tcp/8000-8010`.
    fileprivate init?(text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, let transport = TransportProtocol(word: String(parts[0])) else { return nil }
        let ports = parts[1].split(separator: "-", omittingEmptySubsequences: false).map { UInt16($0) }
        guard (1...2).contains(ports.count), let low = ports[0], let high = ports[ports.count - 1],
            low > 0, low <= high
        else { return nil }
        self.init(transport: transport.rawValue, low: low, high: high)
    }
}
