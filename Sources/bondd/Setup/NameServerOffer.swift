import Daemon
import Host
import Packet

/// The name servers that `bondd init` offers to clients: this host's own if they are other hosts and answer,
/// otherwise public ones. Clients query them through the tunnel, so they see the server's address.
struct NameServerOffer {
    /// Maximum number of its own, as many as a resolver tries (MAXNS in resolv.conf(5)).
    private static let most = 3

    let servers: [IPAddress]
    /// Whether one of them has answered.
    let isAnswered: Bool
    /// Whether they are this host's own.
    let isOwn: Bool

    /// Queries all of them at once; takes up to 2.5 s.
    init(_ resolver: HostResolver, excluding own: [IPAddress], hasIPv6: Bool) {
        let candidates = resolver.others.filter { (hasIPv6 || $0.family == .v4) && !own.contains($0) }
        let known = NameServerChoice.fallback.filter { hasIPv6 || $0.family == .v4 }
        let answers = NameServerProbe(candidates.map { .init($0) }, or: known.map { .init($0) }).ask()
        func answering(_ servers: [IPAddress]) -> [IPAddress] {
            servers.filter { answers.good.contains(.init($0)) }
        }
        let good = answering(candidates).prefix(Self.most)
        if !good.isEmpty {
            (servers, isAnswered, isOwn) = (Array(good), true, true)
            return
        }
        let reached = answering(known)
        (servers, isAnswered, isOwn) = (reached.isEmpty ? known : reached, !reached.isEmpty, false)
    }
}
