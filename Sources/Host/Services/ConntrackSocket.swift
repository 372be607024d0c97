import CNetlink
import Glibc

/// Lists and deletes conntrack's connections, restricted to those with a translated destination.
struct ConntrackSocket: ~Copyable {
    private static let bufferSize = 32 << 10
    /// IPS_DST_NAT
    private static let translated: UInt32 = 1 << 5
    private let socket: OpaquePointer

    init() throws(HostError) {
        guard let socket = FirewallSocket.netfilter() else {
            throw .conntrack("open conntrack", errno: errno)
        }
        self.socket = socket
    }

    deinit { mnl_socket_close(socket) }

    /// Passes on each connection whose destination differs from that of its first packet; the kernel filters
    /// out the rest.
    borrowing func forEachTranslated(_ body: (TrackedConnection) -> Void) throws(HostError) {
        let action = "list connections"
        try exchange(
            IPCTNL_MSG_CT_GET, flags: NLM_F_DUMP, family: UInt8(AF_UNSPEC), action,
            fill: { header in
                mnl_attr_put_u32(header, UInt16(CTA_STATUS.rawValue), Self.translated.bigEndian)
                mnl_attr_put_u32(header, UInt16(CTA_STATUS_MASK.rawValue), Self.translated.bigEndian)
            },
            { message in
                guard let entry = nfct_new() else { return }
                defer { nfct_destroy(entry) }
                // A kernel before 5.12 does not filter.
                guard nfct_nlmsg_parse(message, entry) == 0,
                    nfct_get_attr_u32(entry, ATTR_STATUS) & Self.translated != 0,
                    let connection = TrackedConnection(entry)
                else { return }
                body(connection)
            })
    }

    /// Deletes a connection; returns whether it existed.
    @discardableResult borrowing func delete(_ connection: TrackedConnection) throws(HostError) -> Bool {
        guard let entry = nfct_new() else { throw .conntrack("end a connection", errno: ENOMEM) }
        defer { nfct_destroy(entry) }
        connection.write(to: entry)
        let family = UInt8(connection.user.family == .v4 ? AF_INET : AF_INET6)
        do throws(HostError) {
            try exchange(
                IPCTNL_MSG_CT_DELETE, flags: NLM_F_ACK, family: family, "end a connection",
                fill: { _ = nfct_nlmsg_build($0, entry) })
            return true
        } catch .conntrack(_, ENOENT) {
            return false
        }
    }

    /// Sends a request and reads the answers to the last.
    private borrowing func exchange(
        _ type: cntl_msg_types, flags: Int32, family: UInt8, _ action: String,
        fill: (UnsafeMutablePointer<nlmsghdr>) -> Void, _ body: (UnsafePointer<nlmsghdr>) -> Void = { _ in }
    ) throws(HostError) {
        let buffer = UnsafeMutableRawPointer.allocate(byteCount: Self.bufferSize, alignment: 16)
        defer { buffer.deallocate() }
        guard let header = mnl_nlmsg_put_header(buffer) else { throw .conntrack(action, errno: ENOMEM) }
        header.pointee.nlmsg_type = UInt16(NFNL_SUBSYS_CTNETLINK << 8) | UInt16(type.rawValue)
        header.pointee.nlmsg_flags = UInt16(NLM_F_REQUEST | flags)
        let extra = mnl_nlmsg_put_extra_header(header, MemoryLayout<nfgenmsg>.size)
        extra?.assumingMemoryBound(to: nfgenmsg.self).pointee = nfgenmsg(
            nfgen_family: family, version: UInt8(NFNETLINK_V0), res_id: 0)
        fill(header)
        guard mnl_socket_sendto(socket, header, Int(header.pointee.nlmsg_len)) >= 0 else {
            throw .conntrack(action, errno: errno)
        }
        var end: Int32?
        while end == nil {
            let count = mnl_socket_recvfrom(socket, buffer, Self.bufferSize)
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { throw .conntrack(action, errno: count < 0 ? errno : EPROTO) }
            FirewallSocket.messages(buffer, count) { message in
                if message.pointee.nlmsg_type == UInt16(NLMSG_DONE) {
                    end = 0
                } else if let code = FirewallSocket.error(message) {
                    end = code
                } else {
                    body(message)
                }
            }
        }
        if let end, end != 0 { throw .conntrack(action, errno: end) }
    }
}
