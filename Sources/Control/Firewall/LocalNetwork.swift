import Packet
import Settings

/// A private network on the link of one of the host's interfaces: its LAN, a container bridge, the LAN of an uplink's router.
public struct LocalNetwork: Hashable, Sendable {
    /// The interface that it is on.
    public let interface: String
    /// The network.
    public let network: CIDR
    /// The parts of it that a route leads to a router, beyond the link.
    public let beyond: [CIDR]

    /// RFC 1918, link-local (RFC 3927, RFC 4291) and unique local addresses (RFC 4193). The shared address space (RFC 6598)
    /// is a provider's and not a LAN's.
    private static let privateNetworks = [
        "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "fc00::/7", "fe80::/10",
    ].compactMap { CIDR($0) }

    /// ARPHRD_ETHER and ARPHRD_INFINIBAND: links with neighbours. PPP and modems lead to a provider.
    private static let sharedLinks: Set<UInt16> = [1, 32]
    /// Kinds of interfaces that lead elsewhere, whatever they look like.
    private static let tunnels: Set<String> = [
        "tun", "wireguard", "vxlan", "gretap", "ip6gretap", "vti", "xfrm",
    ]
    /// Bounds for the firewall.
    private static let mostNetworks = 128
    private static let mostParts = 32

    /// A network all of which is on the link but for what is `beyond`.
    public init(interface: String, network: CIDR, beyond: [CIDR] = []) {
        (self.interface, self.network, self.beyond) = (interface, network, beyond)
    }

    /// The networks that routes say are on the link of an interface with neighbours, and the link itself.
    /// - Parameter tunnel: the interface that is none of them.
    public static func find(
        in interfaces: [NetworkInterface], routes: [NetworkRoute], besides tunnel: String
    ) -> [LocalNetwork] {
        let routes = routes.filter {
            $0.kind == .unicast && $0.network.length > 0 && $0.table != NetworkRoute.localTable
                && $0.origin != NetworkRoute.ownOrigin
        }
        var found: [LocalNetwork] = []
        for interface in interfaces where interface.name != tunnel {
            guard sharedLinks.contains(interface.hardware), !tunnels.contains(interface.kind ?? "") else {
                continue
            }
            // Each link has this one, whatever routes there are.
            if interface.isUp, let linkLocal = CIDR("fe80::/64") {
                found.append(LocalNetwork(interface: interface.name, network: linkLocal))
            }
            let own = routes.filter { $0.interface == interface.index }
            for route in own where route.gateway == nil && isPrivate(route.network) {
                let network = route.network.network
                guard !found.contains(where: { $0.interface == interface.name && $0.network == network })
                else { continue }
                let beyond = own.filter {
                    $0.gateway != nil && network.contains($0.network.address)
                        && ($0.network.length > network.length
                            || $0.network.length == network.length && $0.metric < route.metric)
                }.map(\.network.network)
                // More than a rule may ask: none of it is taken to be on the link.
                guard beyond.count <= mostParts else { continue }
                found.append(
                    LocalNetwork(
                        interface: interface.name, network: network,
                        beyond: Array(Set(beyond)).sorted { "\($0)" < "\($1)" }))
            }
        }
        return Array(
            found.sorted { ($0.interface, "\($0.network)") < ($1.interface, "\($1.network)") }
                .prefix(mostNetworks))
    }

    private static func isPrivate(_ network: CIDR) -> Bool {
        privateNetworks.contains { $0.length <= network.length && $0.contains(network.address) }
    }
}
