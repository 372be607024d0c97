import CNetlink
import Glibc
import Packet
import Settings

extension Netlink {
    /// The names of the interfaces of default routes of either family in the main table, without `tunnel`; each
    /// once.
    package borrowing func defaultInterfaces(except tunnel: String) throws(HostError) -> [String] {
        var names: Set<String> = []
        for route in try routes(.defaults) {
            guard let interface = try interface(index: route.interface) else { continue }
            names.insert(interface.name)
        }
        names.subtract([tunnel, "lo"])
        return names.sorted()
    }

    /// Sets a route, replacing one to the same network with the same metric in that table. A gateway is
    /// accepted as given, whether or not another route leads to it (`onlink`).
    package borrowing func setRoute(_ route: NetworkRoute) throws(HostError) {
        let object = try rtnlRoute(route)
        defer { rtnl_route_put(object) }
        try check(rtnl_route_add(socket, object, NLM_F_REPLACE), "set the route to \(route)")
    }

    /// Removes a route.
    package borrowing func removeRoute(_ route: NetworkRoute) throws(HostError) {
        let object = try rtnlRoute(route)
        defer { rtnl_route_put(object) }
        try check(rtnl_route_delete(socket, object, 0), "remove the route to \(route)")
    }

    private borrowing func rtnlRoute(_ route: NetworkRoute) throws(HostError) -> OpaquePointer {
        guard let object = rtnl_route_alloc() else { throw .netlink("name a route", code: NLE_NOMEM) }
        let destination = try NetlinkAddress(route.network.network)
        let isIPv4 = route.network.address.family == .v4
        rtnl_route_set_family(object, UInt8(isIPv4 ? AF_INET : AF_INET6))
        rtnl_route_set_dst(object, destination.object)
        rtnl_route_set_table(object, route.table)
        rtnl_route_set_protocol(object, route.origin)
        if route.metric != 0 { rtnl_route_set_priority(object, route.metric) }
        guard route.kind == .unicast else {
            rtnl_route_set_type(object, UInt8(route.kind == .passOn ? RTN_THROW : RTN_UNREACHABLE))
            rtnl_route_set_scope(object, UInt8(RT_SCOPE_UNIVERSE.rawValue))
            return object
        }
        let isOnLink = isIPv4 && route.gateway == nil
        rtnl_route_set_scope(object, UInt8(isOnLink ? RT_SCOPE_LINK.rawValue : RT_SCOPE_UNIVERSE.rawValue))
        if let source = route.source {
            let address = try NetlinkAddress(CIDR(host: source))
            rtnl_route_set_pref_src(object, address.object)
        }
        guard let hop = rtnl_route_nh_alloc() else {
            rtnl_route_put(object)
            throw .netlink("name a route", code: NLE_NOMEM)
        }
        rtnl_route_nh_set_ifindex(hop, Int32(bitPattern: route.interface))
        if let gateway = route.gateway {
            let address = try NetlinkAddress(CIDR(host: gateway))
            if gateway.family == route.network.address.family {
                rtnl_route_nh_set_gateway(hop, address.object)
            } else {
                rtnl_route_nh_set_via(hop, address.object)
            }
            rtnl_route_nh_set_flags(hop, UInt32(RTNH_F_ONLINK))
        }
        rtnl_route_add_nexthop(object, hop)
        return object
    }
}

extension NetworkRoute: CustomStringConvertible {
    /// `10.0.0.0/8 in table 254`
    package var description: String { "\(network) in table \(table)" }

    /// Reads a `rtnl_route`, as one route for each next hop; empty if its kind is not supported.
    static func list(rtnlRoute route: OpaquePointer) -> [NetworkRoute] {
        guard let destination = rtnl_route_get_dst(route), let network = CIDR(nlAddress: destination) else {
            return []
        }
        var common = NetworkRoute(table: rtnl_route_get_table(route), network: network, interface: 0)
        common.metric = rtnl_route_get_priority(route)
        common.origin = rtnl_route_get_protocol(route)
        common.source = rtnl_route_get_pref_src(route).flatMap { CIDR(nlAddress: $0)?.address }
        switch Int(rtnl_route_get_type(route)) {
        case Int(RTN_UNREACHABLE):
            common.kind = .unreachable
            return [common]
        case Int(RTN_THROW):
            common.kind = .passOn
            return [common]
        case Int(RTN_UNICAST): break
        default: return []
        }
        return (0..<rtnl_route_get_nnexthops(route)).compactMap { number in
            guard let hop = rtnl_route_nexthop_n(route, number) else { return nil }
            var each = common
            each.interface = UInt32(bitPattern: rtnl_route_nh_get_ifindex(hop))
            let gateway = rtnl_route_nh_get_gateway(hop) ?? rtnl_route_nh_get_via(hop)
            each.gateway = gateway.flatMap { CIDR(nlAddress: $0)?.address }
            return each
        }
    }
}
