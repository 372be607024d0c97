import CLinux
import Glibc
import Packet
import Rules
import Transport

/// Creates nonblocking, close-on-exec sockets. A negative result is an errno.
enum Sockets {
    /// The backlog of listening sockets, which the kernel limits to net.core.somaxconn.
    private static let backlog: Int32 = 65_535
    /// Receive buffer for datagrams that arrive while this thread does other work: 1 MiB, or as much as the
    /// kernel allows.
    private static let datagramRoom: Int32 = 1 << 20

    /// Listens on a port of an address, or of all addresses of its family for the unspecified one.
    static func listen(at endpoint: Endpoint, transport: TransportProtocol) -> Int32 {
        let family = endpoint.address.family
        let descriptor = make(family, transport)
        guard descriptor >= 0 else { return descriptor }
        if family == .v6 { set(descriptor, Int32(IPPROTO_IPV6), IPV6_V6ONLY, 1) }
        switch transport {
        case .tcp:
            // Otherwise a port could not be reused while its previous connections linger.
            set(descriptor, SOL_SOCKET, SO_REUSEADDR, 1)
            // Accepted sockets inherit these. Keep-alives detect peers that vanished.
            set(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, 1)
            set(descriptor, SOL_SOCKET, SO_KEEPALIVE, 1)
        case .udp:
            set(descriptor, SOL_SOCKET, SO_RCVBUF, datagramRoom)
            // Report which of this host's addresses a datagram was sent to.
            if family == .v4 {
                set(descriptor, Int32(IPPROTO_IP), IP_PKTINFO, 1)
            } else {
                set(descriptor, Int32(IPPROTO_IPV6), IPV6_RECVPKTINFO, 1)
            }
        }
        let isBound = SocketAddress.with(endpoint) { bind(descriptor, $0, $1) == 0 }
        guard isBound, transport == .udp || Glibc.listen(descriptor, backlog) == 0 else {
            let code = errno
            close(descriptor)
            return -code
        }
        return descriptor
    }

    /// This host's addresses that are reachable by others: neither loopback nor link-local, as the latter need
    /// an interface.
    static func ownAddresses(_ family: IPAddress.Family) -> [IPAddress] {
        var list: UnsafeMutablePointer<ifaddrs>?
        guard getifaddrs(&list) == 0 else { return [] }
        defer { freeifaddrs(list) }
        var addresses: [IPAddress] = []
        var next = list
        while let entry = next {
            next = entry.pointee.ifa_next
            guard let address = entry.pointee.ifa_addr else { continue }
            let own: IPAddress
            switch (Int32(address.pointee.sa_family), family) {
            case (AF_INET, .v4):
                own = IPAddress(
                    .v4, bytes: UnsafeRawBufferPointer(start: UnsafeRawPointer(address) + 4, count: 4))
            case (AF_INET6, .v6):
                own = IPAddress(
                    .v6, bytes: UnsafeRawBufferPointer(start: UnsafeRawPointer(address) + 8, count: 16))
            default: continue
            }
            if own.isReachable && !addresses.contains(own) { addresses.append(own) }
        }
        return addresses
    }

    /// Starts connecting to an endpoint.
    /// - Parameter way: how to leave this host; nil means by its routes.
    static func connect(to endpoint: Endpoint, by way: TunnelWay?, transport: TransportProtocol) -> Int32 {
        let descriptor = make(endpoint.address.family, transport)
        guard descriptor >= 0 else { return descriptor }
        if transport == .tcp {
            set(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, 1)
            set(descriptor, SOL_SOCKET, SO_KEEPALIVE, 1)
        }
        if let way, case let code = way.bind(descriptor), code < 0 {
            close(descriptor)
            return code
        }
        let code = SocketAddress.with(endpoint) { Glibc.connect(descriptor, $0, $1) == 0 ? 0 : errno }
        guard code == 0 || code == EINPROGRESS else {
            close(descriptor)
            return -code
        }
        return descriptor
    }

    /// Makes a socket readable only once that many bytes, or the end of stream, have arrived.
    static func setLowWater(_ descriptor: Int32, _ count: Int32) {
        set(descriptor, SOL_SOCKET, SO_RCVLOWAT, count)
    }

    /// Whether the error means that the kernel does not support IPv6, or IPv6 is disabled.
    static func isMissingFamily(_ code: Int32) -> Bool {
        code == -EAFNOSUPPORT || code == -EADDRNOTAVAIL || code == -EPROTONOSUPPORT
    }

    /// Whether the error means that descriptors or memory are exhausted, which is not the peer's fault.
    static func isExhausted(_ code: Int32) -> Bool {
        code == -EMFILE || code == -ENFILE || code == -ENOBUFS || code == -ENOMEM
    }

    /// Whether the error means that this host cannot reach any peer: the tunnel does not exist, or all local
    /// ports to the target are in use. That says nothing about the target.
    static func isOwnFault(_ code: Int32) -> Bool {
        code == -EADDRNOTAVAIL || code == -ENETDOWN || code == -ENETUNREACH || code == -ENODEV
    }

    /// Whether the error means that an ICMP error for an earlier datagram reported the target as unreachable.
    static func isGone(_ code: Int32) -> Bool {
        code == -ECONNREFUSED || code == -EHOSTUNREACH || code == -EHOSTDOWN || code == -ENOPROTOOPT
    }

    private static func make(_ family: IPAddress.Family, _ transport: TransportProtocol) -> Int32 {
        clinux_socket(Int32(family.rawValue), transport == .tcp ? 1 : 0)
    }

    private static func set(_ descriptor: Int32, _ level: Int32, _ option: Int32, _ value: Int32) {
        _ = clinux_set_option(descriptor, level, option, value)
    }
}

extension IPAddress {
    fileprivate var isReachable: Bool {
        switch family {
        case .v4: low >> 24 != 127 && low != 0
        case .v6: high >> 54 != 0xFE80 >> 6 && (high != 0 || low > 1)
        }
    }
}

/// How a connection to a target in the tunnel leaves this host: through the tunnel, or not at all. Without
/// bondd the tunnel's networks are not routed here, and a provider's network may have hosts with the same
/// addresses.
struct TunnelWay {
    /// This host's own address in the tunnel.
    let source: IPAddress
    /// The tunnel's interface, if known.
    let interface: String?

    /// Binds an unconnected socket to the tunnel.
    /// - Returns: 0, or a negative errno: EADDRNOTAVAIL without the tunnel.
    func bind(_ descriptor: Int32) -> Int32 {
        if let interface {
            // If the interface is gone, so are its addresses, and binding fails below; before Linux 5.7 this
            // call needs privileges that this program does not have.
            _ = setsockopt(
                descriptor, SOL_SOCKET, SO_BINDTODEVICE, interface, socklen_t(interface.utf8.count))
        }
        // The port is chosen once the target is known, so that many targets can share it.
        _ = clinux_set_option(descriptor, Int32(IPPROTO_IP), IP_BIND_ADDRESS_NO_PORT, 1)
        return SocketAddress.with(Endpoint(address: source, port: 0)) {
            Glibc.bind(descriptor, $0, $1) == 0 ? 0 : -errno
        }
    }
}

extension Reach {
    /// The way to a target; nil if it is outside the tunnel.
    func way(to address: IPAddress) -> TunnelWay? {
        source(for: address).map { TunnelWay(source: $0, interface: interface) }
    }
}
