import Glibc
import Settings

/// An interface that may become a path if the configuration names none.
package struct Uplink: Hashable, Sendable {
    /// The interface.
    package let interface: NetworkInterface
    /// The medium of the interface.
    package let medium: Medium

    /// Virtual interface kinds that still count as uplinks, each over hardware that no other uplink represents:
    /// `dsa` is a port of a switch chip (Linux 6.1 and later), `ipoib` a partition of InfiniBand.
    private static let realKinds: Set<String> = [
        "vlan", "bond", "team", "wwan", "rmnet", "ppp", "dsa", "ipoib",
    ]
    /// Kinds that stand in for the hardware below them if they have the host's default route instead: the
    /// bridge of a host with virtual machines, a container's macvlan. Those of Docker and libvirt have no
    /// default route.
    private static let standIns: Set<String> = [
        "bridge", "openvswitch", "macvlan", "macvtap", "ipvlan", "ipvtap", "macsec",
    ]
    /// ARPHRD_LOOPBACK
    private static let loopback: UInt16 = 772

    /// The interfaces with a default route of either family, in order of preference: hardware with one in any
    /// table, stand-ins with one in the main table, and any other that a pattern other than `*` includes.
    /// - Parameter tunnels: interfaces to exclude, as in `RoutingTable.short`.
    package static func find(
        in interfaces: [NetworkInterface], routes: [NetworkRoute], discovery: Configuration.Discovery,
        besides tunnels: Set<UInt32>, classes: String = "/sys/class/net"
    ) -> [Uplink] {
        let defaults = routes.filter(isDefault)
        return candidates(interfaces, defaults, discovery, tunnels)
            .filter { isMeant($0, defaults, discovery) }
            .map { Uplink(interface: $0, medium: Medium($0, classes: classes)) }
            .sorted { ($0.medium, $0.interface.name) < ($1.medium, $1.interface.name) }
    }

    /// The interfaces with a default route that are left out because they are virtual and no pattern includes
    /// or excludes them, sorted by name. The user may have expected one of them to be a path.
    package static func leftOut(
        of interfaces: [NetworkInterface], routes: [NetworkRoute], discovery: Configuration.Discovery,
        besides tunnels: Set<UInt32>
    ) -> [NetworkInterface] {
        let defaults = routes.filter(isDefault)
        return candidates(interfaces, defaults, discovery, tunnels)
            .filter { isVirtual($0, defaults) && !isMeant($0, defaults, discovery) }
            .sorted { $0.name < $1.name }
    }

    /// Whether an interface is hardware, or of a kind that stands in for it.
    package static func isPossible(_ interface: NetworkInterface) -> Bool {
        guard interface.hardware != loopback else { return false }
        return interface.kind.map { realKinds.contains($0) || standIns.contains($0) } ?? true
    }

    private static func isDefault(_ route: NetworkRoute) -> Bool {
        route.network.length == 0 && route.kind == .unicast && route.origin != NetworkRoute.ownOrigin
            && route.table != NetworkRoute.localTable
    }

    private static func candidates(
        _ interfaces: [NetworkInterface], _ defaults: [NetworkRoute], _ discovery: Configuration.Discovery,
        _ tunnels: Set<UInt32>
    ) -> [NetworkInterface] {
        let withDefault = Set(defaults.map(\.interface))
        return interfaces.filter { interface in
            withDefault.contains(interface.index) && interface.hardware != loopback
                && !tunnels.contains(RoutingTable.short(interface.index))
                && !discovery.exclude.contains { fnmatch($0, interface.name, 0) == 0 }
        }
    }

    private static func isMeant(
        _ interface: NetworkInterface, _ defaults: [NetworkRoute], _ discovery: Configuration.Discovery
    ) -> Bool {
        let isVirtual = isVirtual(interface, defaults)
        return discovery.include.contains { pattern in
            !(isVirtual && pattern == "*") && fnmatch(pattern, interface.name, 0) == 0
        }
    }

    /// Whether it is neither hardware nor a stand-in with the host's default route.
    private static func isVirtual(_ interface: NetworkInterface, _ defaults: [NetworkRoute]) -> Bool {
        guard let kind = interface.kind, !realKinds.contains(kind) else { return false }
        guard standIns.contains(kind) else { return true }
        return !defaults.contains {
            $0.interface == interface.index && $0.table == NetworkRoute.mainTable
        }
    }
}

extension NetworkInterface {
    /// Why it is left out despite its default route: a sentence with the remedy.
    package var reasonForLeavingOut: String {
        let isTunnel = kind == "tun"
        if isTunnel && (name.hasPrefix("clat") || name.hasPrefix("v4-")) {
            return
                "\(name) is left out: it carries IPv4 over an uplink that has only IPv6 (464XLAT), and bondd uses that uplink directly"
        }
        return
            "\(name) has a default route and is left out for being virtual (\(kind ?? "unknown kind")); name it in [discovery] include if it is an uplink, in exclude if not"
    }
}
