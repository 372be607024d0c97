import CNetlink
import Glibc

/// Where the main table's default routes lead.
public enum DefaultRoutes {
    /// The interfaces that IPv4 and IPv6 default routes lead into, without `tunnel`; by name, each once.
    /// - Throws: `ControlError.firewall`.
    public static func interfaces(except tunnel: String) throws(ControlError) -> [String] {
        let action = "look for default routes"
        guard let socket = mnl_socket_open2(NETLINK_ROUTE, Int32(SOCK_CLOEXEC.rawValue)) else {
            throw .firewall(action, errno: errno)
        }
        defer { mnl_socket_close(socket) }
        guard mnl_socket_bind(socket, 0, MNL_SOCKET_AUTOPID) == 0 else {
            throw .firewall(action, errno: errno)
        }
        var indices: Set<UInt32> = []
        for family in [AF_INET, AF_INET6] { indices.formUnion(try list(socket, family, action)) }
        var names: Set<String> = []
        for index in indices {
            var name = [CChar](repeating: 0, count: Int(IF_NAMESIZE))
            guard if_indextoname(index, &name) != nil else { continue }
            names.insert(
                String(decoding: name.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self))
        }
        names.subtract([tunnel, "lo"])
        return names.sorted()
    }

    private static func list(
        _ socket: OpaquePointer, _ family: Int32, _ action: String
    ) throws(ControlError) -> Set<UInt32> {
        let size = 32 << 10
        let buffer = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: 16)
        defer { buffer.deallocate() }
        let request = mnl_nlmsg_put_header(buffer)!
        request.pointee.nlmsg_type = UInt16(RTM_GETROUTE)
        request.pointee.nlmsg_flags = UInt16(NLM_F_REQUEST) | UInt16(NLM_F_DUMP)
        let route = mnl_nlmsg_put_extra_header(request, MemoryLayout<rtmsg>.size)!
        route.assumingMemoryBound(to: rtmsg.self).pointee.rtm_family = UInt8(family)
        guard mnl_socket_sendto(socket, request, Int(request.pointee.nlmsg_len)) >= 0 else {
            throw .firewall(action, errno: errno)
        }
        var indices: Set<UInt32> = []
        var isDone = false
        while !isDone {
            let count = mnl_socket_recvfrom(socket, buffer, size)
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { throw .firewall(action, errno: count < 0 ? errno : EPROTO) }
            FirewallSocket.messages(buffer, count) { message in
                switch Int32(message.pointee.nlmsg_type) {
                case NLMSG_DONE, NLMSG_ERROR: isDone = true
                default: indices.formUnion(interfaces(message))
                }
            }
        }
        return indices
    }

    /// The interfaces that a message's route leads into, if it is a default route of the main table.
    private static func interfaces(_ message: UnsafePointer<nlmsghdr>) -> [UInt32] {
        let size = MemoryLayout<rtmsg>.size
        guard Int(message.pointee.nlmsg_type) == RTM_NEWROUTE, mnl_nlmsg_get_payload_len(message) >= size
        else { return [] }
        let route = mnl_nlmsg_get_payload(message).assumingMemoryBound(to: rtmsg.self).pointee
        guard route.rtm_dst_len == 0, route.rtm_type == UInt8(RTN_UNICAST),
            route.rtm_table == UInt8(RT_TABLE_MAIN.rawValue), route.rtm_flags & UInt32(RTM_F_CLONED) == 0
        else { return [] }
        var found: [UInt32] = []
        let end = mnl_nlmsg_get_payload_tail(message)!
        var attribute = mnl_nlmsg_get_payload_offset(message, size)!.assumingMemoryBound(to: nlattr.self)
        while mnl_attr_ok(attribute, Int32(end - UnsafeMutableRawPointer(attribute))) {
            let payload = mnl_attr_get_payload(attribute)!
            let length = Int(mnl_attr_get_payload_len(attribute))
            switch UInt32(mnl_attr_get_type(attribute)) {
            case RTA_OIF.rawValue where length >= 4: found.append(payload.loadUnaligned(as: UInt32.self))
            case RTA_MULTIPATH.rawValue: found += hops(UnsafeRawBufferPointer(start: payload, count: length))
            default: break
            }
            attribute = mnl_attr_next(attribute)
        }
        return found
    }

    /// The interfaces of a route with several next hops: `rtnexthop` one after the other, each with its attributes.
    private static func hops(_ bytes: UnsafeRawBufferPointer) -> [UInt32] {
        var found: [UInt32] = []
        var rest = bytes[...]
        while rest.count >= MemoryLayout<rtnexthop>.size {
            let hop = UnsafeRawBufferPointer(rebasing: rest).loadUnaligned(as: rtnexthop.self)
            found.append(UInt32(bitPattern: hop.rtnh_ifindex))
            let length = (Int(hop.rtnh_len) + 3) & ~3
            guard length >= MemoryLayout<rtnexthop>.size, length <= rest.count else { break }
            rest = rest.dropFirst(length)
        }
        return found
    }
}
