import CNetlink
import Glibc

/// Changes and shows nftables of the network namespace that it was made in.
public struct FirewallSocket: ~Copyable {
    /// A message from the kernel has at most 16 KiB.
    private static let bufferSize = 32 << 10
    private let socket: OpaquePointer

    /// - Throws: `HostError.firewall` when there is no socket to be had.
    public init() throws(HostError) {
        guard let socket = Self.netfilter() else { throw .firewall("open nftables", errno: errno) }
        self.socket = socket
    }

    /// A socket to the kernel's netfilter; nil, with errno, when there is none to be had.
    static func netfilter() -> OpaquePointer? {
        guard let socket = mnl_socket_open2(NETLINK_NETFILTER, Int32(SOCK_CLOEXEC.rawValue)) else {
            return nil
        }
        if mnl_socket_bind(socket, 0, MNL_SOCKET_AUTOPID) == 0 { return socket }
        let code = errno
        mnl_socket_close(socket)
        errno = code
        return nil
    }

    deinit { mnl_socket_close(socket) }

    // MARK: Changes

    /// Puts a table in place of its former self, or there anew, at once.
    public borrowing func replace(_ table: FirewallTable) throws(HostError) {
        try replace(table, [:])
    }

    /// Puts a table in place of its former self, or there anew, with what its sets are to have, at once.
    borrowing func replace(_ table: FirewallTable, _ elements: FirewallElements) throws(HostError) {
        var batch = try FirewallBatch(elements: elements.elementCount)
        try batch.replace(table)
        try batch.add(elements, to: table.name)
        try commit(&batch, "set the firewall table \(table.name)")
    }

    /// Takes elements out of the sets of a table, and puts others in, at once.
    /// - Parameter replacingRules: whether its chains get other rules, too.
    borrowing func change(
        _ table: FirewallTable, removing old: FirewallElements, adding new: FirewallElements,
        replacingRules: Bool = false
    ) throws(HostError) {
        var batch = try FirewallBatch(elements: old.elementCount + new.elementCount)
        if replacingRules { try batch.replaceRules(table) }
        try batch.remove(old, from: table.name)
        try batch.add(new, to: table.name)
        try commit(&batch, "change the firewall table \(table.name)")
    }

    /// Removes a table.
    /// - Returns: whether there was one.
    public borrowing func remove(table name: String) throws(HostError) -> Bool {
        var batch = try FirewallBatch()
        try batch.remove(name)
        do throws(HostError) {
            try commit(&batch, "remove the firewall table \(name)")
            return true
        } catch .firewall(_, ENOENT) {
            return false
        }
    }

    /// Sends a batch; the kernel has carried it out, or refused it, when that returns.
    private borrowing func commit(_ batch: inout FirewallBatch, _ action: String) throws(HostError) {
        let bytes = try batch.finish()
        if bytes.count > FirewallBatch.capacity { makeRoom(bytes.count) }
        guard mnl_socket_sendto(socket, bytes.baseAddress, bytes.count) == bytes.count else {
            throw .firewall(action, errno: errno)
        }
        var failure: Int32?
        var isAcknowledged = false
        let buffer = UnsafeMutableRawPointer.allocate(byteCount: Self.bufferSize, alignment: 16)
        defer { buffer.deallocate() }
        let descriptor = mnl_socket_get_fd(socket)
        while true {
            let count = recv(descriptor, buffer, Self.bufferSize, Int32(MSG_DONTWAIT))
            if count < 0 && errno == EINTR { continue }
            if count <= 0 { break }
            Self.messages(buffer, count) { message in
                guard let code = Self.error(message) else { return }
                if code == 0 { isAcknowledged = true } else if failure == nil { failure = code }
            }
        }
        if let failure { throw .firewall(action, errno: failure) }
        if !isAcknowledged { throw .firewall(action, errno: EPROTO) }
    }

    /// Lets the kernel take that many bytes at once, as far as it may: net.core.wmem_max is for those without privileges.
    private borrowing func makeRoom(_ count: Int) {
        var size = Int32(clamping: count)
        let descriptor = mnl_socket_get_fd(socket)
        if setsockopt(descriptor, SOL_SOCKET, SO_SNDBUFFORCE, &size, 4) != 0 {
            setsockopt(descriptor, SOL_SOCKET, SO_SNDBUF, &size, 4)
        }
    }

    // MARK: Lists

    /// Asks for a list and gives its messages one by one.
    /// - Parameter fill: adds what is asked for to the request.
    borrowing func list(
        _ type: nf_tables_msg_types, family: UInt16, _ action: String,
        fill: (UnsafeMutablePointer<nlmsghdr>) -> Void = { _ in },
        _ body: (UnsafePointer<nlmsghdr>) -> Void
    ) throws(HostError) {
        let buffer = UnsafeMutableRawPointer.allocate(byteCount: Self.bufferSize, alignment: 16)
        defer { buffer.deallocate() }
        let header = nftnl_nlmsg_build_hdr(
            buffer.assumingMemoryBound(to: CChar.self), UInt16(type.rawValue), family, UInt16(NLM_F_DUMP), 1)
        guard let header else { throw .firewall(action, errno: ENOMEM) }
        fill(header)
        guard mnl_socket_sendto(socket, header, Int(header.pointee.nlmsg_len)) >= 0 else {
            throw .firewall(action, errno: errno)
        }
        var end: Int32?
        while end == nil {
            let count = mnl_socket_recvfrom(socket, buffer, Self.bufferSize)
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { throw .firewall(action, errno: count < 0 ? errno : EPROTO) }
            Self.messages(buffer, count) { message in
                if message.pointee.nlmsg_type == UInt16(NLMSG_DONE) {
                    end = 0
                } else if let code = Self.error(message) {
                    end = code
                } else {
                    body(message)
                }
            }
        }
        if let end, end != 0 { throw .firewall(action, errno: end) }
    }

    static func messages(
        _ buffer: UnsafeMutableRawPointer, _ count: Int, _ body: (UnsafePointer<nlmsghdr>) -> Void
    ) {
        var left = Int32(count)
        var message = UnsafePointer(buffer.assumingMemoryBound(to: nlmsghdr.self))
        while mnl_nlmsg_ok(message, left) {
            body(message)
            message = UnsafePointer(mnl_nlmsg_next(message, &left))
        }
    }

    /// The errno that the message tells, 0 for an acknowledgement; nil when it is something else.
    static func error(_ message: UnsafePointer<nlmsghdr>) -> Int32? {
        guard message.pointee.nlmsg_type == UInt16(NLMSG_ERROR),
            mnl_nlmsg_get_payload_len(message) >= MemoryLayout<nlmsgerr>.size
        else { return nil }
        return -mnl_nlmsg_get_payload(message).assumingMemoryBound(to: nlmsgerr.self).pointee.error
    }
}
