import CNetlink
import Glibc
import Settings

/// Watches links, addresses, routes and rules of the network namespace it was created in.
package struct NetlinkEvents: ~Copyable {
    /// The descriptor, nonblocking, for epoll.
    package let fileDescriptor: Int32

    private let socket: OpaquePointer

    /// The multicast groups subscribed to.
    private static let groups = [
        RTNLGRP_LINK, RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR, RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV6_ROUTE,
        RTNLGRP_IPV4_RULE, RTNLGRP_IPV6_RULE,
    ]

    /// Starts watching: changes from now on are queued until they are read.
    /// - Throws: `HostError.netlink` if no socket can be opened.
    package init() throws(HostError) {
        let action = "follow network changes"
        guard let socket = nl_socket_alloc() else { throw .netlink(action, code: NLE_NOMEM) }
        nl_socket_disable_seq_check(socket)
        var code = nl_connect(socket, NETLINK_ROUTE)
        for group in Self.groups where code == 0 {
            code = nl_socket_add_membership(socket, Int32(group.rawValue))
        }
        if code == 0 { code = nl_socket_set_nonblocking(socket) }
        if code == 0 { code = nl_socket_set_buffer_size(socket, 1 << 20, 0) }
        guard code == 0 else {
            nl_socket_free(socket)
            throw .netlink(action, code: -code)
        }
        self.socket = socket
        fileDescriptor = nl_socket_get_fd(socket)
    }

    deinit { nl_socket_free(socket) }

    /// The events since the last call, in order.
    package mutating func readEvents() -> [NetworkEvent] {
        var events: [NetworkEvent] = []
        withUnsafeMutablePointer(to: &events) { list in
            let collect: nl_recvmsg_msg_cb_t = { message, list in
                if let message, let list {
                    Self.parse(message, list.assumingMemoryBound(to: [NetworkEvent].self))
                }
                return Int32(NL_OK.rawValue)
            }
            nl_socket_modify_cb(socket, NL_CB_VALID, NL_CB_CUSTOM, collect, list)
            while true {
                let code = nl_recvmsgs_default(socket)
                if code == 0 { continue }
                // An overflow (ENOBUFS) arrives as "out of memory"; any error other than "again" means lost
                // events, too.
                if code == -NLE_AGAIN { break }
                if code == -NLE_INTR { continue }
                list.pointee.append(.overflow)
                if code != -NLE_NOMEM { break }
            }
        }
        return events
    }

    private static func parse(_ message: OpaquePointer, _ list: UnsafeMutablePointer<[NetworkEvent]>) {
        guard let header = nlmsg_hdr(message) else { return }
        let type = Int(header.pointee.nlmsg_type)
        if type == RTM_NEWRULE || type == RTM_DELRULE {
            list.pointee.append(.ruleChanged)
            return
        }
        var context = (list: list, type: type)
        withUnsafeMutablePointer(to: &context) { context in
            _ = nl_msg_parse(
                message,
                { object, context in
                    guard let object, let context else { return }
                    let (list, type) = context.assumingMemoryBound(
                        to: (list: UnsafeMutablePointer<[NetworkEvent]>, type: Int).self
                    ).pointee
                    if let event = NetworkEvent(object, messageType: type) { list.pointee.append(event) }
                }, context)
        }
    }
}

extension NetworkEvent {
    /// The event in a message of this type with this `nl_object`; nil if it is not relevant.
    init?(_ object: OpaquePointer, messageType: Int) {
        switch messageType {
        case RTM_NEWLINK:
            guard let interface = NetworkInterface(changed: object) else { return nil }
            self = .link(interface)
        case RTM_DELLINK:
            guard let interface = NetworkInterface(changed: object) else { return nil }
            self = .linkDeleted(index: interface.index, name: interface.name)
        case RTM_NEWADDR, RTM_DELADDR:
            guard let address = CIDR(rtnlAddress: object) else { return nil }
            let index = UInt32(bitPattern: rtnl_addr_get_ifindex(object))
            self =
                messageType == RTM_NEWADDR
                ? .addressAdded(index: index, address) : .addressRemoved(index: index, address)
        case RTM_NEWROUTE, RTM_DELROUTE:
            guard rtnl_route_get_table(object) != NetworkRoute.localTable else { return nil }
            // A routing daemon's table changes constantly; only its default routes are relevant
            // (`RouteFilter.host`).
            let isDefault = rtnl_route_get_dst(object).map { nl_addr_get_prefixlen($0) == 0 } ?? true
            if !isDefault && RouteFilter.daemons.contains(rtnl_route_get_protocol(object)) { return nil }
            let hop = rtnl_route_get_nnexthops(object) == 1 ? rtnl_route_nexthop_n(object, 0) : nil
            self = .routeChanged(
                index: hop.map { UInt32(bitPattern: rtnl_route_nh_get_ifindex($0)) } ?? 0,
                origin: rtnl_route_get_protocol(object))
        default: return nil
        }
    }
}

extension NetworkInterface {
    /// Reads a link message; nil for a bridge's own, which concern the same interface as a port: "deleted"
    /// there only means that it left the bridge.
    fileprivate init?(changed link: OpaquePointer) {
        guard rtnl_link_get_family(link) == AF_UNSPEC else { return nil }
        self.init(link: link)
    }
}
