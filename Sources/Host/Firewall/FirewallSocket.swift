import CNetlink
import Glibc

/// Changes and lists nftables in the network namespace in which it was created.
package struct FirewallSocket: ~Copyable {
    /// A message from the kernel is at most 16 KiB long.
    private static let bufferSize = 32 << 10
    private let socket: OpaquePointer

    /// - Throws: `HostError.firewall` if no socket can be opened.
    package init() throws(HostError) {
        guard let socket = Self.netfilter() else { throw .firewall("open nftables", errno: errno) }
        self.socket = socket
    }

    /// A netfilter socket; nil, with errno set, if none can be opened.
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

    /// Atomically replaces a table, or creates it.
    package borrowing func replace(_ table: FirewallTable) throws(HostError) {
        try replace(table, [:])
    }

    /// Atomically replaces a table, or creates it, together with the elements of its sets.
    borrowing func replace(_ table: FirewallTable, _ elements: FirewallElements) throws(HostError) {
        var batch = try FirewallBatch(elements: elements.elementCount)
        try batch.replace(table)
        try batch.add(elements, to: table.name)
        try commit(&batch, "set the firewall table \(table.name)")
    }

    /// Atomically removes elements from the sets of a table and adds others.
    /// - Parameter replacingRules: whether to replace the rules of its chains as well.
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
    /// - Returns: whether it existed.
    package borrowing func remove(table name: String) throws(HostError) -> Bool {
        var batch = try FirewallBatch()
        try batch.remove(name)
        do throws(HostError) {
            try commit(&batch, "remove the firewall table \(name)")
            return true
        } catch .firewall(_, ENOENT) {
            return false
        }
    }

    /// Sends a batch and waits until the kernel has applied or refused it.
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

    /// Enlarges the socket's send buffer to this size if permitted; net.core.wmem_max binds only unprivileged
    /// processes.
    private borrowing func makeRoom(_ count: Int) {
        var size = Int32(clamping: count)
        let descriptor = mnl_socket_get_fd(socket)
        if setsockopt(descriptor, SOL_SOCKET, SO_SNDBUFFORCE, &size, 4) != 0 {
            setsockopt(descriptor, SOL_SOCKET, SO_SNDBUF, &size, 4)
        }
    }

    // MARK: Lists

    /// Requests a list and passes on its messages one by one.
    /// - Parameter fill: adds the attributes of the request.
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

    /// The errno in the message, 0 for an acknowledgement; nil if it is another kind of message.
    static func error(_ message: UnsafePointer<nlmsghdr>) -> Int32? {
        guard message.pointee.nlmsg_type == UInt16(NLMSG_ERROR),
            mnl_nlmsg_get_payload_len(message) >= MemoryLayout<nlmsgerr>.size
        else { return nil }
        return -mnl_nlmsg_get_payload(message).assumingMemoryBound(to: nlmsgerr.self).pointee.error
    }
}
