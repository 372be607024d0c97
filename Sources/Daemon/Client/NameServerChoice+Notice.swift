import Packet

extension NameServerChoice {
    /// A sentence for users about the decision; nil if names are resolved as they expect.
    var notice: String? {
        guard let decision else { return nil }
        switch decision.source {
        case .file, .offer:
            if decision.isAnswered { return nil }
            let place = decision.source == .file ? "[tunnel] dns" : "the server's [offer] dns"
            return
                "no name server of \(place) answers through the tunnel (\(Self.list(decision.servers))); \(Self.remedy)"
        case .fallback:
            return
                "names are asked of public servers through the tunnel (\(Self.list(decision.servers))), as neither the server's nor this host's answer there; \(Self.remedy)"
        case .host: return situation.isFull ? hostNotice(decision) : nil
        }
    }

    private func hostNotice(_ decision: Decision) -> String? {
        let host = situation.host
        guard decision.isAnswered else {
            let servers = host.others.isEmpty ? host.servers : host.others
            return
                "no name server answers (\(servers.isEmpty ? "none is set" : Self.list(servers))); \(Self.remedy)"
        }
        let asked = decision.servers.isEmpty ? host.others : decision.servers
        let outside = asked.compactMap { server -> String? in
            let interface = decision.outside[server].flatMap { situation.uplinks[$0] }
            return (interface ?? situation.direct[server]).map { "\(server) by \($0)" }
        }
        guard !outside.isEmpty else { return nil }
        return "names are asked outside the tunnel, of \(outside.joined(separator: ", ")); \(Self.remedy)"
    }

    private static let remedy =
        "name some that the tunnel reaches in [tunnel] dns, or in [offer] dns on the server"

    private static func list(_ servers: [IPAddress]) -> String {
        servers.map(\.description).joined(separator: ", ")
    }
}
