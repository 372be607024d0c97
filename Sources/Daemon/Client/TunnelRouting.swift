import Host
import Packet
import Runtime
import Settings

/// A client's routing: desired state that `HostRouting` compares with the host's and restores.
struct TunnelRouting {
    /// The route of each family's packets to anywhere.
    struct Ways: Equatable {
        var ipv4 = RoutingPlan.Anywhere.beside
        var ipv6 = RoutingPlan.Anywhere.beside

        subscript(family: IPAddress.Family) -> RoutingPlan.Anywhere { family == .v4 ? ipv4 : ipv6 }

        /// The families that go into the tunnel whole.
        var full: [IPAddress.Family] { [.v4, .v6].filter { self[$0] == .tunnel } }
    }

    private(set) var ways = Ways()
    /// Whether the host's routing may differ from the desired one.
    private(set) var isDue = true
    /// The routes that bypass a full tunnel, or would.
    private var bypass = Notices()
    /// Changes that the kernel refused.
    private var refused = Notices()

    var problems: [String] { refused.list + bypass.list }

    /// Has the host's routing compared with the desired one.
    mutating func expire() { isDue = true }

    // MARK: - Desired state

    /// Takes the networks that are to go into the tunnel.
    /// - Parameter addresses: this host's in the tunnel.
    /// - Returns: the networks for the main table; whole families are a matter of rules.
    mutating func lead(
        _ networks: [CIDR], addresses: [CIDR], tunnel: String, _ log: Log
    ) -> [CIDR] {
        let new = Ways(
            ipv4: Self.way(.v4, networks, addresses), ipv6: Self.way(.v6, networks, addresses))
        for (name, family) in [("IPv4", IPAddress.Family.v4), ("IPv6", .v6)]
        where new[family] != ways[family] && new[family] == .refused
            && (family == .v4 || HostFamilies.lackOfIPv6(interface: tunnel) == nil)
        {
            log(.warning, "the server assigns no \(name) address, so \(name) to anywhere is refused")
        }
        ways = new
        return networks.filter { $0.length > 0 }
    }

    private static func way(
        _ family: IPAddress.Family, _ networks: [CIDR], _ addresses: [CIDR]
    ) -> RoutingPlan.Anywhere {
        guard networks.contains(where: { $0.length == 0 && $0.address.family == family }) else {
            return .beside
        }
        return addresses.contains { $0.address.family == family } ? .tunnel : .refused
    }

    /// The routing that the host is to have, without paths.
    /// - Parameters:
    ///   - tunnel: the index of its interface.
    ///   - isUp: whether the interface is on. While it is off the kernel has no routes through it, and all that
    ///     belongs into the tunnel is refused: it would leave outside otherwise.
    func desired(tunnel: UInt32, named name: String, addresses: [CIDR], isUp: Bool) -> RoutingPlan {
        func way(_ wanted: RoutingPlan.Anywhere) -> RoutingPlan.Anywhere {
            wanted == .tunnel && !isUp ? .refused : wanted
        }
        var plan = RoutingPlan(tunnel: tunnel)
        (plan.ipv4, plan.ipv6) = (way(ways.ipv4), way(ways.ipv6))
        (plan.addresses, plan.canReturn) = (addresses.map(\.address), isUp)
        plan.returnMark = ReturnMark.value(interface: name)
        return plan
    }

    /// Makes the host's routing the desired one.
    /// - Parameters:
    ///   - existing: the host's own routes.
    ///   - routes: those of the tunnel in the main table.
    /// - Returns: the slots of paths whose tables have changed.
    mutating func apply(
        _ plan: RoutingPlan, existing: [NetworkRoute], routes: [CIDR], _ netlink: borrowing Netlink,
        _ log: Log
    ) -> Set<UInt32> {
        isDue = false
        do throws(HostError) {
            let outcome = try HostRouting(tunnel: plan.tunnel).apply(plan, foreign: existing, netlink)
            let narrower = RouteGuard.narrower(existing, than: routes, uplinks: Set(plan.uplinks.keys))
            noteBypass(plan.bypass(of: existing), narrower: narrower, netlink, log)
            refused.replace(with: outcome.problems.map(\.description), log)
            return outcome.changedSlots
        } catch {
            refused.replace(with: error.description, log)
            return []
        }
    }

    // MARK: - Problems

    private mutating func noteBypass(
        _ found: RouteGuard, narrower: [NetworkRoute], _ netlink: borrowing Netlink, _ log: Log
    ) {
        let notices = [
            Self.sentence(
                found.overruled, "would lead past the tunnel and is overruled while bondd runs", netlink),
            Self.sentence(
                found.unguarded, "leads past the tunnel, as these are addresses of the uplink's own network",
                netlink),
            Self.sentence(
                narrower, "leads past the tunnel, as it is narrower than one of [tunnel] routes", netlink),
        ]
        bypass.replace(with: notices.compactMap(\.self), log)
    }

    private static func sentence(
        _ routes: [NetworkRoute], _ verdict: String, _ netlink: borrowing Netlink
    ) -> String? {
        guard !routes.isEmpty else { return nil }
        var named: [String] = []
        for route in routes.prefix(3) {
            let name = (try? netlink.interface(index: route.interface))??.name
            named.append("\(route.network) through \(name ?? "interface \(route.interface)")")
        }
        let more = routes.count > named.count ? " (and \(routes.count - named.count) more)" : ""
        return "the route to \(named.joined(separator: ", "))\(more) \(verdict)"
    }
}
