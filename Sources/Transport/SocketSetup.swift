import CLinux
import Glibc
import Packet

/// Sets a new UDP socket's options and binds it.
struct SocketSetup {
    let descriptor: Int32
    let family: IPAddress.Family

    /// Lets other sockets of this program bind the same address and port.
    func sharePort() throws(TransportError) {
        let code = clinux_share_port(descriptor)
        guard code == 0 else { throw .failed("share a UDP port", errno: -code) }
    }

    /// Sets the mark of outgoing packets.
    func mark(_ mark: UInt32) throws(TransportError) {
        do throws(TransportError) {
            try set(SOL_SOCKET, SO_MARK, Int32(bitPattern: mark), "mark a socket's packets")
        } catch .failed(_, errno: EPERM) {
            throw .notPermitted("mark a socket's packets")
        }
    }

    /// Sets the options and binds to an interface; returns its index, or 0 for none.
    func bind(to interface: String?) throws(TransportError) -> UInt32 {
        switch family {
        case .v4:
            try set(IPPROTO_IP, IP_PKTINFO, 1, "ask for IPv4 packet information")
            try set(IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_PROBE, "forbid IPv4 fragments")
            try set(IPPROTO_IP, IP_RECVTOS, 1, "ask for ECN marks")
        case .v6:
            try set(IPPROTO_IPV6, IPV6_V6ONLY, 1, "keep IPv4 out of an IPv6 socket")
            try set(IPPROTO_IPV6, IPV6_RECVPKTINFO, 1, "ask for IPv6 packet information")
            try set(IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_PROBE, "forbid IPv6 fragments")
            try set(IPPROTO_IPV6, IPV6_RECVTCLASS, 1, "ask for ECN marks")
        }
        enlarge(SO_RCVBUFFORCE, else: SO_RCVBUF)
        enlarge(SO_SNDBUFFORCE, else: SO_SNDBUF)
        guard let interface else { return 0 }
        let index = if_nametoindex(interface)
        guard index != 0 else { throw .noInterface(interface) }
        if setsockopt(descriptor, SOL_SOCKET, SO_BINDTODEVICE, interface, socklen_t(interface.utf8.count)) < 0
        {
            let code = errno
            if code == EPERM { throw .notPermitted("bind a socket to the interface \(interface)") }
            if code == ENODEV { throw .noInterface(interface) }
            throw .failed("bind a socket to the interface \(interface)", errno: code)
        }
        return index
    }

    /// Whether the kernel can segment outgoing data. One that cannot would send it in one piece, so this is
    /// checked first.
    var segmentation: SocketOffload { clinux_segment_support(descriptor) == 0 ? .on : .missing }

    /// Lets the kernel join received datagrams. Without support, every datagram is read separately.
    func join() -> SocketOffload { clinux_join_on_receipt(descriptor) == 0 ? .on : .missing }

    /// Lets the kernel stamp received datagrams. Without support, they count as having arrived when they are read.
    func stamp() { _ = clinux_stamp_on_receipt(descriptor) }

    /// Binds to an address (nil means all) and port; returns the port in host order. `zone` is the interface
    /// that a link-local address belongs to.
    func bind(to address: IPAddress?, port: UInt16, zone: UInt32) throws(TransportError) -> UInt16 {
        let any = family == .v4 ? IPAddress(v4: 0) : IPAddress(v6High: 0, low: 0)
        let wanted = address ?? any
        guard wanted.family == family else {
            throw .failed("bind \(wanted) in the other family", errno: EINVAL)
        }
        return try bind(Endpoint(address: wanted, port: port, zone: wanted.isLinkLocal ? zone : 0))
    }

    private func bind(_ endpoint: Endpoint) throws(TransportError) -> UInt16 {
        let code = withUnsafeTemporaryAllocation(byteCount: SocketAddress.size, alignment: 8) {
            name -> Int32 in
            let length = SocketAddress.write(endpoint, to: name)
            let address = name.baseAddress!.assumingMemoryBound(to: sockaddr.self)
            return Glibc.bind(descriptor, address, length) == 0 ? 0 : errno
        }
        switch code {
        case 0: return try boundPort()
        case EADDRINUSE: throw .addressInUse(endpoint)
        case EADDRNOTAVAIL: throw .addressNotHere(endpoint)
        case EACCES where endpoint.port < 1024: throw .portNotPermitted(endpoint)
        case EACCES: throw .notPermitted("bind UDP \(endpoint)")
        default: throw .failed("bind UDP \(endpoint)", errno: code)
        }
    }

    private func boundPort() throws(TransportError) -> UInt16 {
        let port = withUnsafeTemporaryAllocation(byteCount: SocketAddress.size, alignment: 8) {
            name -> UInt16? in
            var length = socklen_t(SocketAddress.size)
            let address = name.baseAddress!.assumingMemoryBound(to: sockaddr.self)
            guard getsockname(descriptor, address, &length) == 0 else { return nil }
            return SocketAddress.read(UnsafeRawBufferPointer(name))?.port
        }
        guard let port else { throw .failed("learn a socket's port", errno: errno) }
        return port
    }

    private func set(
        _ level: Int, _ option: Int32, _ value: Int32, _ purpose: String
    ) throws(TransportError) {
        try set(Int32(level), option, value, purpose)
    }

    private func set(
        _ level: Int32, _ option: Int32, _ value: Int32, _ purpose: String
    ) throws(TransportError) {
        var value = value
        guard setsockopt(descriptor, level, option, &value, socklen_t(MemoryLayout<Int32>.size)) == 0 else {
            throw .failed(purpose, errno: errno)
        }
    }

    /// Enlarges a buffer. The forced option exceeds the sysctl's limit but needs CAP_NET_ADMIN; a smaller
    /// buffer is not an error.
    private func enlarge(_ forced: Int32, else plain: Int32) {
        var size = Int32(DatagramSocket.bufferSize)
        let length = socklen_t(MemoryLayout<Int32>.size)
        if setsockopt(descriptor, SOL_SOCKET, forced, &size, length) != 0 {
            _ = setsockopt(descriptor, SOL_SOCKET, plain, &size, length)
        }
    }
}
