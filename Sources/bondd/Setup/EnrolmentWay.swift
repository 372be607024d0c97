import Daemon
import Host
import Packet
import Settings

/// A path by which a host without a tunnel may reach a server: over one of its uplinks, or over the host's
/// routes.
struct EnrolmentWay {
    /// The uplink's name and index; `nil` for the host's routes.
    let interface: (name: String, index: UInt32)?
    private let addresses: [IPAddress]
    private let routes: [NetworkRoute]
    /// The NAT64 prefixes of its network, if its name servers know of one.
    var translators: [NAT64] = []
    /// Tests whether anything but UDP passes.
    var probe: ReachProbe?

    /// The host's routes, and each interface that has a default route, virtual or not: any of them will do
    /// for an enrolment.
    /// - Parameter most: maximum number of paths.
    static func all(most: Int) -> [EnrolmentWay] {
        var ways = [EnrolmentWay(interface: nil, addresses: [], routes: [])]
        guard let netlink = try? Netlink(), let interfaces = try? netlink.interfaces(),
            let routes = try? netlink.routes(), let tunnels = try? HostRouting.owners(netlink)
        else { return ways }
        let discovery = Configuration.Discovery(include: interfaces.map(\.name), exclude: [])
        let uplinks = Uplink.find(in: interfaces, routes: routes, discovery: discovery, besides: tunnels)
        for uplink in uplinks.map(\.interface) where uplink.hasCarrier && ways.count < most {
            let addresses = try? netlink.addresses(ofInterface: uplink.index, usable: true).map(\.address)
            ways.append(
                EnrolmentWay(
                    interface: (uplink.name, uplink.index), addresses: addresses ?? [],
                    routes: routes.filter {
                        $0.interface == uplink.index && $0.kind == .unicast
                            && $0.table != NetworkRoute.localTable
                    }))
        }
        return ways
    }

    /// The endpoints that it can send to.
    func usable(_ wanted: [Endpoint]) -> [Endpoint] {
        guard let interface else { return wanted }
        return PathEndpoints(
            wanted: wanted, interface: interface.name, addresses: addresses, routes: routes, gateways: [],
            translators: translators
        ).usable
    }

    /// The way to query names over it; `nil` without an interface or a name server.
    func nameWay(_ known: HostNameServers) -> NameWay? {
        guard let interface else { return nil }
        let routers = routes.filter { $0.network.length == 0 }.compactMap(\.gateway)
        let way = NameWay(
            interface: interface.name, index: interface.index,
            servers: known.servers(by: interface.index) + routers)
        return way.servers.isEmpty ? nil : way
    }
}
