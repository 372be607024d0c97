import Packet
import Settings

/// A private network on the link of one of the host's interfaces, such as its LAN, a container bridge or the LAN of an
/// uplink's router.
package struct LocalNetwork: Hashable, Sendable {
    /// The interface.
    package let interface: String
    /// The network.
    package let network: CIDR
    /// Parts of the network that are routed through a gateway and so are not on the link.
    package let beyond: [CIDR]

    /// RFC 1918, link-local (RFC 3927, RFC 4291) and unique local addresses (RFC 4193). The shared address space (RFC 6598)
    /// belongs to providers, not to LANs.
    private static let privateNetworks = [
        "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "fc00::/7", "fe80::/10",
    ].compactMap { CIDR($0) }

    /// ARPHRD_ETHER and ARPHRD_INFINIBAND: links with neighbors. PPP and modems lead to a provider.
    private static let sharedLinks: Set<UInt16> = [1, 32]
    /// Interface kinds that look like Ethernet but are tunnels.
    private static let tunnels: Set<String> = [
        "tun", "wireguard", "vxlan", "gretap", "ip6gretap", "vti", "xfrm",
    ]
    /// Limits on the size of the table.
    private static let mostNetworks = 128
    private static let mostParts = 32

    /// A network that is on the link, except for the parts `beyond`.
    package init(interface: String, network: CIDR, beyond: [CIDR] = []) {
        (self.interface, self.network, self.beyond) = (interface, network, beyond)
    }

    /// The private networks that have a route without a gateway through an interface with neighbors, and the link-local
    /// network of each such interface.
    /// - Parameter tunnel: the tunnel's interface, which is left out.
    package static func find(
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
            // libnl keeps one IPv6 route per prefix and metric, so the routes of several links are not all there.
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
                // Too many exceptions for one rule: the network is left out.
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
