import ControlProtocol

/// Services and their control plane for people, in 80 columns.
struct ServiceTable {
    static let width = 80
    /// The longest name in the table, in characters; longer ones are given in full below it.
    private static let longestName = 14

    let text: String

    init(_ services: [ServiceStatus], _ plane: PlaneStatus) {
        var lines = Self.lines(of: plane)
        if services.isEmpty {
            lines += Self.wrap(
                "no services; publish one with a [[rule]] in the configuration, or enrol at a control plane: bondd portunus enroll URI",
                indent: 0)
        } else {
            let heads = [["rule", "listen", "state", "way", "open", "in", "out"]]
            let rows = services.map { service in
                [
                    Self.short(service.rule), "\(service.transport) \(service.ports)", service.state,
                    service.state == "failed" ? "-" : service.way, "\(service.connections)",
                    StatusTable.bytes(service.bytesIn), StatusTable.bytes(service.bytesOut),
                ]
            }
            let table = StatusTable.table(heads + rows, words: 4)
            lines += ["", table[0]]
            for (service, row) in zip(services, table.dropFirst()) {
                lines.append(row)
                lines += Self.details(of: service).flatMap { Self.wrap($0, indent: 6) }
            }
        }
        text = (lines.joined(separator: "\n") + "\n").printable
    }

    private static func lines(of plane: PlaneStatus) -> [String] {
        let place = plane.endpoint.map { " \($0)" } ?? ""
        let state = plane.state.map { $0 == "_" ? " " : $0 }
        let problem = plane.problem.map { wrap($0, indent: 2) } ?? []
        return ["control plane\(place): \(String(state))"] + problem
    }

    private static func short(_ name: String) -> String {
        name.count > longestName ? name.prefix(longestName - 1) + "…" : name
    }

    private static func details(of service: ServiceStatus) -> [String] {
        let targets = service.targets.map { $0.address + ($0.isHealthy == false ? " (down)" : "") }
        var lead = "to " + targets.joined(separator: ", ")
        if short(service.rule) != service.rule { lead = "\(service.rule) \(lead)" }
        if let name = service.serverName { lead = "for \(name), \(lead)" }
        if let owner = service.owner { lead += ", of \(owner)" }
        if let reason = service.reason { return [lead, reason] }
        return [lead + (service.wayReason.map { "; userspace: \($0)" } ?? "")]
    }

    /// Breaks a text into lines between words.
    static func wrap(_ text: String, indent: Int) -> [String] {
        let margin = String(repeating: " ", count: indent)
        var lines: [String] = []
        var line = margin
        for word in text.split(separator: " ") {
            if line.count > indent && line.count + 1 + word.count > width {
                lines.append(line)
                line = margin
            }
            line += (line.count > indent ? " " : "") + word
        }
        return lines + [line]
    }
}
