import CNetlink
import Glibc
import Packet
import Settings

/// The routes that a dump returns. The kernel filters as far as it can; the rest is discarded while reading,
/// because a host may have a million.
package enum RouteFilter: Equatable, Sendable {
    /// All routes of the kinds that `NetworkRoute` supports.
    case all
    /// The routes of `NetworkRoute.ownOrigin`.
    case own
    /// The default routes in the main table.
    case defaults
    /// The routes in the main table with that origin (RTPROT_…).
    case main(origin: UInt8)
    /// The host's own routes: unicast, neither local nor bondd's. Of those learnt by a routing daemon, only
    /// default routes and those that contain one of the addresses.
    case host(reaching: [IPAddress])

    /// RTPROT_… of programs that speak routing protocols: gated, zebra, BIRD, DECnet, XORP, Babel, Open/R, and FRR's for
    /// BGP, IS-IS, OSPF, RIP and EIGRP.
    static let daemons: Set<UInt8> = [8, 10, 11, 12, 13, 14, 42, 99, 186, 187, 188, 189, 192]

    /// Whether a route with that header may match.
    fileprivate func admits(_ header: rtmsg, _ message: UnsafeMutablePointer<nlmsghdr>) -> Bool {
        switch self {
        case .all: return true
        case .own: return header.rtm_protocol == NetworkRoute.ownOrigin
        case .defaults: return header.rtm_dst_len == 0 && Int(header.rtm_type) == RTN_UNICAST
        case .main(let origin):
            return header.rtm_protocol == origin && Int(header.rtm_type) == RTN_UNICAST
        case .host(let addresses):
            guard Int(header.rtm_type) == RTN_UNICAST, header.rtm_protocol != NetworkRoute.ownOrigin,
                UInt32(header.rtm_table) != NetworkRoute.localTable
            else { return false }
            guard header.rtm_dst_len > 0, Self.daemons.contains(header.rtm_protocol) else { return true }
            let family: IPAddress.Family = Int32(header.rtm_family) == AF_INET ? .v4 : .v6
            let size = Int32(MemoryLayout<rtmsg>.size)
            guard let attribute = nlmsg_find_attr(message, size, Int32(RTA_DST.rawValue)),
                let network = CIDR(attribute, family, length: header.rtm_dst_len)
            else { return false }
            return addresses.contains { network.contains($0) }
        }
    }

    /// Writes the kernel's part of the filter into the request's header.
    fileprivate func describe(_ header: inout rtmsg) {
        switch self {
        case .all: break
        case .own: header.rtm_protocol = NetworkRoute.ownOrigin
        case .defaults:
            (header.rtm_table, header.rtm_type) = (UInt8(NetworkRoute.mainTable), UInt8(RTN_UNICAST))
        case .main(let origin):
            (header.rtm_table, header.rtm_type) = (UInt8(NetworkRoute.mainTable), UInt8(RTN_UNICAST))
            header.rtm_protocol = origin
        case .host: header.rtm_type = UInt8(RTN_UNICAST)
        }
    }
}

extension Netlink {
    /// All routes of both families in all tables, of the kinds that `NetworkRoute` supports.
    package borrowing func routes() throws(HostError) -> [NetworkRoute] { try routes(.all) }

    /// The routes of both families that a filter admits.
    package borrowing func routes(_ filter: RouteFilter) throws(HostError) -> [NetworkRoute] {
        var routes: [NetworkRoute] = []
        for family in [AF_INET, AF_INET6] {
            var dump = RouteDump(filter)
            var code = -NLE_DUMP_INTR
            // A dump may be incomplete if the table changes meanwhile. A table that never settles is taken as
            // it is, because an event follows each change.
            for _ in 0..<3 where code == -NLE_DUMP_INTR {
                dump.routes = []
                code = try read(family, &dump)
            }
            // A kernel without IPv6 has no IPv6 routes; a table without routes may not exist.
            let nothing = [NLE_AF_NOSUPPORT, NLE_OPNOTSUPP, NLE_OBJ_NOTFOUND, NLE_DUMP_INTR]
            if !nothing.contains(-code) { try check(code, "list routes") }
            routes += dump.routes
        }
        return routes
    }

    /// Reads a family's routes; returns libnl's code.
    private borrowing func read(_ family: Int32, _ dump: inout RouteDump) throws(HostError) -> Int32 {
        var header = rtmsg()
        header.rtm_family = UInt8(family)
        // Without strict checks (before Linux 4.20) the kernel ignores the header and returns all routes.
        setStrict(true)
        defer { setStrict(false) }
        dump.filter.describe(&header)
        let sent = nl_send_simple(
            socket, Int32(RTM_GETROUTE), NLM_F_DUMP, &header, MemoryLayout<rtmsg>.size)
        try check(sent, "list routes")
        return withUnsafeMutablePointer(to: &dump) { dump in
            let collect: nl_recvmsg_msg_cb_t = { message, dump in
                if let message, let dump {
                    dump.assumingMemoryBound(to: RouteDump.self).pointee.take(message)
                }
                return Int32(NL_OK.rawValue)
            }
            nl_socket_modify_cb(socket, NL_CB_VALID, NL_CB_CUSTOM, collect, dump)
            defer { nl_socket_modify_cb(socket, NL_CB_VALID, NL_CB_DEFAULT, nil, nil) }
            return nl_recvmsgs_default(socket)
        }
    }

    /// Makes the kernel filter by the request's header (NETLINK_GET_STRICT_CHK). Only for dumps of routes,
    /// because libnl's own requests do not pass its checks.
    private borrowing func setStrict(_ isStrict: Bool) {
        var value: Int32 = isStrict ? 1 : 0
        setsockopt(
            nl_socket_get_fd(socket), SOL_NETLINK, NETLINK_GET_STRICT_CHK, &value,
            socklen_t(MemoryLayout<Int32>.size))
    }
}

/// From netlink(7) and linux/netlink.h, which libnl's headers hide.
private let SOL_NETLINK: Int32 = 270
private let NETLINK_GET_STRICT_CHK: Int32 = 12

/// The routes of a dump that a filter admits.
private struct RouteDump {
    let filter: RouteFilter
    var routes: [NetworkRoute] = []

    init(_ filter: RouteFilter) { self.filter = filter }

    mutating func take(_ message: OpaquePointer) {
        guard let packet = nlmsg_hdr(message), Int(packet.pointee.nlmsg_type) == RTM_NEWROUTE,
            nlmsg_datalen(packet) >= Int32(MemoryLayout<rtmsg>.size), let data = nlmsg_data(packet),
            filter.admits(data.loadUnaligned(as: rtmsg.self), packet)
        else { return }
        var route: OpaquePointer?
        guard rtnl_route_parse(packet, &route) == 0, let route else { return }
        defer { rtnl_route_put(route) }
        let listed = NetworkRoute.list(rtnlRoute: route)
        switch filter {
        case .defaults, .main: routes += listed.filter { $0.table == NetworkRoute.mainTable }
        case .all, .own, .host: routes += listed
        }
    }
}
