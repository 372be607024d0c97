import CNetlink
import Glibc
import Packet
import Settings

/// Changes and lists links, addresses, routes and rules of the network namespace it was created in, through
/// rtnetlink. Each call waits for the kernel's answer, which takes microseconds.
package struct Netlink: ~Copyable {
    let socket: OpaquePointer

    /// - Throws: `HostError.netlink` if no socket can be opened.
    package init() throws(HostError) {
        guard let socket = nl_socket_alloc() else { throw .netlink("open netlink", code: NLE_NOMEM) }
        let code = nl_connect(socket, NETLINK_ROUTE)
        guard code == 0 else {
            nl_socket_free(socket)
            throw .netlink("open netlink", code: -code)
        }
        self.socket = socket
    }

    deinit { nl_socket_free(socket) }

    // MARK: Links

    /// The interface of that name; nil if there is none.
    package borrowing func interface(named name: String) throws(HostError) -> NetworkInterface? {
        name.isEmpty ? nil : try interface(index: 0, name: name)
    }

    /// The interface with that index; nil if there is none.
    package borrowing func interface(index: UInt32) throws(HostError) -> NetworkInterface? {
        try interface(index: index, name: nil)
    }

    /// All interfaces, by index.
    package borrowing func interfaces() throws(HostError) -> [NetworkInterface] {
        var cache: OpaquePointer?
        try check(rtnl_link_alloc_cache(socket, AF_UNSPEC, &cache), "list interfaces")
        defer { nl_cache_free(cache) }
        var interfaces: [NetworkInterface] = []
        var object = nl_cache_get_first(cache)
        while let link = object {
            if let interface = NetworkInterface(link: link) { interfaces.append(interface) }
            object = nl_cache_get_next(link)
        }
        return interfaces.sorted { $0.index < $1.index }
    }

    /// Sets an interface's MTU in bytes.
    package borrowing func setMTU(_ mtu: Int, ofInterface index: UInt32) throws(HostError) {
        try change(index, "set the MTU of interface \(index) to \(mtu)") {
            rtnl_link_set_mtu($0, UInt32(clamping: mtu))
        }
    }

    /// Sets an interface up or down.
    package borrowing func setUp(_ up: Bool, interface index: UInt32) throws(HostError) {
        try change(index, "switch interface \(index) \(up ? "on" : "off")") {
            let flag = UInt32(IFF_UP)
            if up { rtnl_link_set_flags($0, flag) } else { rtnl_link_unset_flags($0, flag) }
        }
    }

    // MARK: Addresses

    /// The addresses of an interface.
    /// - Parameter usable: whether to return only addresses usable as a source: neither tentative nor failed
    ///   duplicate detection.
    package borrowing func addresses(
        ofInterface index: UInt32, usable: Bool = false
    ) throws(HostError) -> [CIDR] {
        let unusable = UInt32(IFA_F_TENTATIVE | IFA_F_DADFAILED)
        var cache: OpaquePointer?
        try check(rtnl_addr_alloc_cache(socket, &cache), "list addresses")
        defer { nl_cache_free(cache) }
        var addresses: [CIDR] = []
        var object = nl_cache_get_first(cache)
        while let address = object {
            if rtnl_addr_get_ifindex(address) == Int32(bitPattern: index),
                !usable || rtnl_addr_get_flags(address) & unusable == 0,
                let cidr = CIDR(rtnlAddress: address)
            {
                addresses.append(cidr)
            }
            object = nl_cache_get_next(address)
        }
        return addresses
    }

    /// Adds an address; IPv6 without duplicate address detection, so that it is usable almost at once: the
    /// kernel makes it local from a work queue.
    /// - Throws: `HostError` whose `alreadyThere` is true if the interface already has it.
    package borrowing func addAddress(_ address: CIDR, toInterface index: UInt32) throws(HostError) {
        let object = try rtnlAddress(address, index)
        defer { rtnl_addr_put(object) }
        try check(
            rtnl_addr_add(socket, object, NLM_F_EXCL), "add the address \(address) to interface \(index)")
    }

    /// Removes an address.
    package borrowing func removeAddress(_ address: CIDR, fromInterface index: UInt32) throws(HostError) {
        let object = try rtnlAddress(address, index)
        defer { rtnl_addr_put(object) }
        try check(
            rtnl_addr_delete(socket, object, 0), "remove the address \(address) from interface \(index)")
    }

    // MARK: Routes

    /// Routes a network into an interface, in the main table. Of routes to the same network the lowest metric
    /// wins; 0 is the kernel's default (0 for IPv4, 1024 for IPv6).
    /// - Throws: `HostError` whose `alreadyThere` is true if a route to the network with this metric exists.
    package borrowing func addRoute(
        to network: CIDR, interface index: UInt32, metric: UInt32 = 0
    ) throws(HostError) {
        let route = try rtnlRoute(network, index, metric)
        defer { rtnl_route_put(route) }
        try check(
            rtnl_route_add(socket, route, NLM_F_EXCL), "add a route to \(network) into interface \(index)")
    }

    /// Removes a route added by `addRoute`.
    package borrowing func removeRoute(
        to network: CIDR, interface index: UInt32, metric: UInt32 = 0
    ) throws(HostError) {
        let route = try rtnlRoute(network, index, metric)
        defer { rtnl_route_put(route) }
        try check(
            rtnl_route_delete(socket, route, 0), "remove the route to \(network) into interface \(index)")
    }

    // MARK: libnl objects

    private borrowing func interface(index: UInt32, name: String?) throws(HostError) -> NetworkInterface? {
        var link: OpaquePointer?
        let code = rtnl_link_get_kernel(socket, Int32(bitPattern: index), name, &link)
        if code == -NLE_OBJ_NOTFOUND || code == -NLE_NODEV || code == -NLE_NOADDR { return nil }
        try check(code, "look up interface \(name ?? "\(index)")")
        defer { rtnl_link_put(link) }
        return link.flatMap { NetworkInterface(link: $0) }
    }

    private borrowing func change(
        _ index: UInt32, _ action: String, _ set: (OpaquePointer) -> Void
    ) throws(HostError) {
        guard let was = rtnl_link_alloc() else { throw .netlink(action, code: NLE_NOMEM) }
        defer { rtnl_link_put(was) }
        guard let change = rtnl_link_alloc() else { throw .netlink(action, code: NLE_NOMEM) }
        defer { rtnl_link_put(change) }
        rtnl_link_set_ifindex(was, Int32(bitPattern: index))
        set(change)
        try check(rtnl_link_change(socket, was, change, 0), action)
    }

    private borrowing func rtnlAddress(_ address: CIDR, _ index: UInt32) throws(HostError) -> OpaquePointer {
        guard let object = rtnl_addr_alloc() else { throw .netlink("name an address", code: NLE_NOMEM) }
        let local = try NetlinkAddress(address)
        rtnl_addr_set_ifindex(object, Int32(bitPattern: index))
        rtnl_addr_set_local(object, local.object)
        if address.address.family == .v6 { rtnl_addr_set_flags(object, UInt32(IFA_F_NODAD)) }
        return object
    }

    private borrowing func rtnlRoute(
        _ network: CIDR, _ index: UInt32, _ metric: UInt32
    ) throws(HostError) -> OpaquePointer {
        guard let route = rtnl_route_alloc() else { throw .netlink("name a route", code: NLE_NOMEM) }
        guard let hop = rtnl_route_nh_alloc() else {
            rtnl_route_put(route)
            throw .netlink("name a route", code: NLE_NOMEM)
        }
        let destination = try NetlinkAddress(network.network)
        rtnl_route_set_family(route, UInt8(network.address.family == .v4 ? AF_INET : AF_INET6))
        rtnl_route_set_dst(route, destination.object)
        rtnl_route_set_scope(
            route, UInt8(network.address.family == .v4 ? RT_SCOPE_LINK.rawValue : RT_SCOPE_UNIVERSE.rawValue))
        rtnl_route_set_table(route, UInt32(RT_TABLE_MAIN.rawValue))
        rtnl_route_set_protocol(route, UInt8(RTPROT_STATIC))
        if metric != 0 { rtnl_route_set_priority(route, metric) }
        rtnl_route_nh_set_ifindex(hop, Int32(bitPattern: index))
        rtnl_route_add_nexthop(route, hop)
        return route
    }

    borrowing func check(_ code: Int32, _ action: String) throws(HostError) {
        guard code < 0 else { return }
        throw .netlink(action, code: -code)
    }
}
