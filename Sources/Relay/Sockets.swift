import CLinux
import Glibc
import Packet
import Rules
import Transport

/// Makes sockets. None of them blocks, all are closed on exec. A negative result is errno.
enum Sockets {
    /// The kernel cuts it to net.core.somaxconn.
    private static let backlog: Int32 = 65_535
    /// What waits for this thread while it does other things: 1 MiB, or what the kernel allows.
    private static let datagramRoom: Int32 = 1 << 20

    /// Listens on a port of an address, or of every address of its family when that is the unspecified one.
    static func listen(at endpoint: Endpoint, transport: TransportProtocol) -> Int32 {
        let family = endpoint.address.family
        let descriptor = make(family, transport)
        guard descriptor >= 0 else { return descriptor }
        if family == .v6 { set(descriptor, Int32(IPPROTO_IPV6), IPV6_V6ONLY, 1) }
        switch transport {
        case .tcp:
            // Or a port could not be listened on again while connections of before last.
            set(descriptor, SOL_SOCKET, SO_REUSEADDR, 1)
            // What is accepted inherits these. Keep-alives find those who left without a word.
            set(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, 1)
            set(descriptor, SOL_SOCKET, SO_KEEPALIVE, 1)
        case .udp:
            set(descriptor, SOL_SOCKET, SO_RCVBUF, datagramRoom)
            // Which of this host's addresses was called.
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

    /// The addresses of this host that others may reach it at: neither loopback's nor, as these need an interface, link-local ones.
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

    /// Begins to connect to an endpoint.
    /// - Parameter way: how to leave this host; nil: as its routes say.
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

    /// Has a socket be readable only when that many bytes are there, or the end.
    static func setLowWater(_ descriptor: Int32, _ count: Int32) {
        set(descriptor, SOL_SOCKET, SO_RCVLOWAT, count)
    }

    /// Whether the kernel has no IPv6, or none is switched on.
    static func isMissingFamily(_ code: Int32) -> Bool {
        code == -EAFNOSUPPORT || code == -EADDRNOTAVAIL || code == -EPROTONOSUPPORT
    }

    /// Whether there are no more descriptors or there is no memory, which is nobody else's fault.
    static func isExhausted(_ code: Int32) -> Bool {
        code == -EMFILE || code == -ENFILE || code == -ENOBUFS || code == -ENOMEM
    }

    /// Whether it is this host that can't reach anybody: the tunnel is not there, or all ports to the target are in use. That says
    /// nothing of the target.
    static func isOwnFault(_ code: Int32) -> Bool {
        code == -EADDRNOTAVAIL || code == -ENETDOWN || code == -ENETUNREACH || code == -ENODEV
    }

    /// Whether a datagram before was answered with an ICMP error that means that nobody is there.
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
