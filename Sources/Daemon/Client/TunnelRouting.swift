import Host
import Packet
import Runtime

/// Where a client's host is to send what is not for the tunnel's own networks, and what keeps it from doing
/// so.
struct TunnelRouting {
    /// The way of each family.
    struct Ways: Equatable {
        var ipv4 = RoutingPlan.Anywhere.beside
        var ipv6 = RoutingPlan.Anywhere.beside

        subscript(family: IPAddress.Family) -> RoutingPlan.Anywhere { family == .v4 ? ipv4 : ipv6 }

        /// The families that go into the tunnel whole.
        var full: [IPAddress.Family] { [.v4, .v6].filter { self[$0] == .tunnel } }
    }

    var ways = Ways()
    /// Whether the host's routing may differ from the plan.
    var isDue = true
    /// The routes that lead past a full tunnel, or would.
    var bypass = Notices()
    /// Changes that the kernel refused.
    var problems = Notices()
}
