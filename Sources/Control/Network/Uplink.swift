import Glibc
import Settings

/// An interface that may be a path as nobody said which are.
public struct Uplink: Hashable, Sendable {
    /// The interface.
    public let interface: NetworkInterface
    /// What it is made of.
    public let medium: Medium

    /// Kinds that are no hardware, but on one: what they lead to is no other link's.
    private static let realKinds: Set<String> = ["vlan", "bond", "team", "wwan", "rmnet", "ppp"]
    /// ARPHRD_LOOPBACK
    private static let loopback: UInt16 = 772

    /// The interfaces that have a default route of either family in any table, the preferred first. Virtual ones are left
    /// out unless a pattern other than `*` includes them.
    /// - Parameter tunnels: interfaces that are never meant, as `RoutingTable.short` says them.
    public static func find(
        in interfaces: [NetworkInterface], routes: [NetworkRoute], discovery: Configuration.Discovery,
        besides tunnels: Set<UInt32>, classes: String = "/sys/class/net"
    ) -> [Uplink] {
        let withDefault = Set(
            routes.filter { route in
                route.network.length == 0 && route.kind == .unicast
                    && route.origin != NetworkRoute.ownOrigin && route.table != NetworkRoute.localTable
            }.map(\.interface))
        return interfaces.filter { interface in
            withDefault.contains(interface.index) && interface.hardware != loopback
                && !tunnels.contains(RoutingTable.short(interface.index)) && isMeant(interface, discovery)
        }
        .map { Uplink(interface: $0, medium: Medium($0, classes: classes)) }
        .sorted { ($0.medium, $0.interface.name) < ($1.medium, $1.interface.name) }
    }

    /// The interfaces that would be uplinks if they were not virtual, by name: what to include where nothing else is, as in a
    /// container.
    public static func virtual(
        among interfaces: [NetworkInterface], routes: [NetworkRoute], discovery: Configuration.Discovery,
        besides tunnels: Set<UInt32>
    ) -> [String] {
        let named = Configuration.Discovery(
            include: interfaces.map(\.name), exclude: discovery.exclude)
        return find(in: interfaces, routes: routes, discovery: named, besides: tunnels).map(\.interface.name)
    }

    private static func isMeant(
        _ interface: NetworkInterface, _ discovery: Configuration.Discovery
    ) -> Bool {
        func matches(_ pattern: String) -> Bool { fnmatch(pattern, interface.name, 0) == 0 }
        guard !discovery.exclude.contains(where: matches) else { return false }
        if let kind = interface.kind, !realKinds.contains(kind) {
            return discovery.include.contains { $0 != "*" && matches($0) }
        }
        return discovery.include.contains(where: matches)
    }
}
