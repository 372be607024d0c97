import CNetlink
import Glibc

/// Reports changes to nftables, default routes or forwarding in the network namespace, by any program.
package struct FirewallEvents: ~Copyable {
    /// The changes since the last read.
    package struct Change: Sendable {
        /// Tables, chains or rules changed.
        package var ofRuleset = false
        /// A default route, an interface, or the forwarding of packets changed.
        package var ofForwarding = false
    }

    private let ruleset: Listener
    private let routes: Listener

    /// Starts watching.
    /// - Throws: `HostError.firewall` if the sockets cannot be opened.
    package init() throws(HostError) {
        let ruleset = try Listener(NETLINK_NETFILTER, groups: [NFNLGRP_NFTABLES.rawValue])
        let routes = try Listener(
            NETLINK_ROUTE,
            groups: [
                RTNLGRP_LINK, RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV6_ROUTE, RTNLGRP_IPV4_NETCONF,
                RTNLGRP_IPV6_NETCONF,
            ].map(\.rawValue))
        self.ruleset = ruleset
        self.routes = routes
    }

    /// The descriptors, nonblocking, for epoll.
    package var fileDescriptors: [Int32] { [ruleset.fileDescriptor, routes.fileDescriptor] }

    /// The changes since the last call.
    package mutating func read() -> Change {
        var change = Change()
        ruleset.drain { _ in change.ofRuleset = true }
        routes.drain { message in
            if let message, Self.isLesserRoute(message) { return }
            change.ofForwarding = true
        }
        return change
    }

    /// Whether the message is about a route other than a default route. A router has thousands of these.
    private static func isLesserRoute(_ message: UnsafePointer<nlmsghdr>) -> Bool {
        let type = Int(message.pointee.nlmsg_type)
        guard type == RTM_NEWROUTE || type == RTM_DELROUTE,
            mnl_nlmsg_get_payload_len(message) >= MemoryLayout<rtmsg>.size
        else { return false }
        return mnl_nlmsg_get_payload(message).assumingMemoryBound(to: rtmsg.self).pointee.rtm_dst_len != 0
    }
}

/// A nonblocking socket that subscribes to the kernel's multicast groups.
private final class Listener {
    private static let bufferSize = 32 << 10
    private let socket: OpaquePointer

    init(_ bus: Int32, groups: [UInt32]) throws(HostError) {
        let action = "watch the firewall"
        let flags = Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue)
        guard let socket = mnl_socket_open2(bus, flags) else { throw .firewall(action, errno: errno) }
        var failure: Int32 = mnl_socket_bind(socket, 0, MNL_SOCKET_AUTOPID) == 0 ? 0 : errno
        for group in groups where failure == 0 {
            var group = group
            let size = socklen_t(MemoryLayout<UInt32>.size)
            if mnl_socket_setsockopt(socket, NETLINK_ADD_MEMBERSHIP, &group, size) != 0 { failure = errno }
        }
        guard failure == 0 else {
            mnl_socket_close(socket)
            throw .firewall(action, errno: failure)
        }
        self.socket = socket
    }

    deinit { mnl_socket_close(socket) }

    var fileDescriptor: Int32 { mnl_socket_get_fd(socket) }

    /// Reads all pending messages; nil stands for lost ones.
    func drain(_ body: (UnsafePointer<nlmsghdr>?) -> Void) {
        withUnsafeTemporaryAllocation(byteCount: Self.bufferSize, alignment: 16) { buffer in
            while true {
                let count = mnl_socket_recvfrom(socket, buffer.baseAddress, buffer.count)
                if count > 0 {
                    FirewallSocket.messages(buffer.baseAddress!, count, body)
                } else if errno == ENOBUFS {
                    body(nil)
                } else if errno != EINTR {
                    break
                }
            }
        }
    }
}
