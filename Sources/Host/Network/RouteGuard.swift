import Packet
import Settings

/// Keeps an uplink's network from routing a full tunnel's traffic past it, by classless static routes of DHCP
/// (option 121, RFC 3442; "TunnelVision", CVE-2024-3661) or routes in IPv6's router advertisements (RFC 4191),
/// which are longer than the tunnel's default route.
///
/// A route is overruled if it leads to public addresses through an uplink, and the kernel did not derive it
/// from an interface's address. Private networks behind a router of the LAN stay, and so does the LAN. The
/// overruled networks lead into the tunnel in a table of their own, which passes the networks that stay to the
/// next rule (RTN_THROW).
package struct RouteGuard: Equatable, Sendable {
    /// Maximum number of overruled routes. More come from a routing protocol rather than from DHCP, and are
    /// left alone.
    static let most = 1000

    /// The routes that are overruled.
    package private(set) var overruled: [NetworkRoute] = []
    /// The routes that bypass the tunnel regardless: an uplink's own network that claims public addresses
    /// ("LocalNet", CVE-2023-36672), and routes in excess of `most`.
    package private(set) var unguarded: [NetworkRoute] = []
    /// The networks within the overruled ones that keep their routes.
    private var kept: [CIDR] = []

    /// - Parameters:
    ///   - foreign: the host's routes.
    ///   - uplinks: the interfaces of paths, with their addresses.
    ///   - families: the families that the tunnel takes entirely.
    package init(
        _ foreign: [NetworkRoute], uplinks: [UInt32: [IPAddress]], families: Set<IPAddress.Family>
    ) {
        let main = foreign.filter {
            $0.table == NetworkRoute.mainTable && $0.network.length > 0
                && families.contains($0.network.address.family)
        }
        for route in main where route.network.isPublic {
            guard let addresses = uplinks[route.interface] else { continue }
            switch Self.claim(of: route, addresses) {
            case .link: continue
            case .network: unguarded.append(route)
            case .past: overruled.append(route)
            }
        }
        if overruled.count > Self.most {
            (unguarded, overruled) = (unguarded + overruled, [])
            return
        }
        guard !overruled.isEmpty else { return }
        let networks = Set(overruled.map(\.network))
        kept = Array(
            Set(main.map(\.network)).subtracting(networks).filter { inner in
                networks.contains { $0.length < inner.length && $0.contains(inner.address) }
            })
        if kept.count > Self.most { (unguarded, overruled, kept) = (unguarded + overruled, [], []) }
    }

    /// The host's routes through routers of uplinks that are more specific than one of the tunnel's routes in
    /// the main table.
    package static func narrower(
        _ foreign: [NetworkRoute], than routes: [CIDR], uplinks: Set<UInt32>
    ) -> [NetworkRoute] {
        foreign.filter { route in
            route.table == NetworkRoute.mainTable && route.gateway != nil && uplinks.contains(route.interface)
                && routes.contains { own in
                    own.contains(route.network.address)
                        && (own.length < route.network.length || own == route.network && route.wins6)
                }
        }
    }

    /// The claim of a route through an uplink to public addresses.
    private enum Claim {
        /// The link itself: the /64 of its own IPv6 address, or a point-to-point link's peer.
        case link
        /// A network of its own that is larger.
        case network
        /// Networks beyond the link, or unrelated to its addresses.
        case past
    }

    private static func claim(of route: NetworkRoute, _ addresses: [IPAddress]) -> Claim {
        guard route.gateway == nil else { return .past }
        let isPeer =
            route.network.address.family == .v4 && route.network.length == 32
            && route.origin == NetworkRoute.kernelOrigin
        if isPeer { return .link }
        guard addresses.contains(where: { route.network.contains($0) }) else { return .past }
        return route.network.address.family == .v6 && route.network.length >= 64 ? .link : .network
    }

    /// The guard's routes in a table.
    /// - Parameter refused: the families to refuse, because the tunnel has no address of them.
    func routes(table: UInt32, tunnel: UInt32, refused: Set<IPAddress.Family>) -> [NetworkRoute] {
        let caught = Set(overruled.map(\.network)).map { network in
            var route = NetworkRoute(table: table, network: network, interface: tunnel)
            if refused.contains(network.address.family) { (route.kind, route.interface) = (.unreachable, 0) }
            return route
        }
        return caught
            + kept.map { network in
                var route = NetworkRoute(table: table, network: network, interface: 0)
                route.kind = .passOn
                return route
            }
    }
}

extension NetworkRoute {
    /// Whether it precedes an IPv6 route to the same network with the kernel's default metric.
    fileprivate var wins6: Bool { network.address.family == .v6 && metric < 1024 }
}

extension CIDR {
    /// Whether some of its addresses are public: not all private (RFC 1918, RFC 4193), a provider's own (RFC
    /// 6598), link-local, loopback or multicast.
    var isPublic: Bool {
        let reserved = address.family == .v4 ? Self.reserved4 : Self.reserved6
        return !reserved.contains { $0.length <= length && $0.contains(address) }
    }

    private static let reserved4 = [
        "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "169.254.0.0/16", "127.0.0.0/8",
        "224.0.0.0/4", "255.255.255.255/32",
    ].map { CIDR($0)! }
    private static let reserved6 = ["fc00::/7", "fe80::/10", "ff00::/8", "::1/128"].map { CIDR($0)! }
}
