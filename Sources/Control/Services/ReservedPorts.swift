import Packet
import Rules
import Settings

/// Ports on which this host's own programs listen: if a control plane's rule took one first, bondd could not
/// start.
struct ReservedPorts: Equatable {
    private var ports: [TransportProtocol: Set<UInt16>] = [:]

    init() {}

    /// The ports on which the tunnel listens, and the one of `[health]`.
    init(_ server: Configuration.Server, _ health: Configuration.Health?) {
        ports[.udp] = Set(server.listen.map(\.port))
        ports[.tcp] = health.map { [$0.listen.port] } ?? []
    }

    /// The refusal of a pushed rule that uses one of them, or nil.
    func refusal(of rule: Rule) -> RuleRefusal? {
        guard case .pushed = rule.id, let port = ports[rule.transport]?.first(where: rule.ports.contains)
        else {
            return nil
        }
        return .portInUse(rule.ports.count > 1 ? port : nil)
    }
}
