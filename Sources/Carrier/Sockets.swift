import CLinux
import Glibc
import Packet
import Rules

/// Makes sockets. None of them blocks, all are closed on exec. A negative result is errno.
enum Sockets {
    /// The kernel cuts it to net.core.somaxconn.
    private static let backlog: Int32 = 65_535
    /// What waits for this thread while it does other things: 1 MiB, or what the kernel allows.
    private static let datagramRoom: Int32 = 1 << 20

    /// Listens on a port of every address of a family.
    static func listen(_ family: IPAddress.Family, port: UInt16, transport: Transport) -> Int32 {
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
        let any = family == .v4 ? IPAddress(v4: 0) : IPAddress(v6High: 0, low: 0)
        let isBound = SocketAddress.with(Endpoint(address: any, port: port)) { bind(descriptor, $0, $1) == 0 }
        guard isBound, transport == .udp || Glibc.listen(descriptor, backlog) == 0 else {
            let code = errno
            close(descriptor)
            return -code
        }
        return descriptor
    }

    /// Begins to connect to an endpoint.
    static func connect(to endpoint: Endpoint, transport: Transport) -> Int32 {
        let descriptor = make(endpoint.address.family, transport)
        guard descriptor >= 0 else { return descriptor }
        if transport == .tcp {
            set(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, 1)
            set(descriptor, SOL_SOCKET, SO_KEEPALIVE, 1)
        }
        let code = SocketAddress.with(endpoint) { Glibc.connect(descriptor, $0, $1) == 0 ? 0 : errno }
        guard code == 0 || code == EINPROGRESS else {
            close(descriptor)
            return -code
        }
        return descriptor
    }

    /// Whether the kernel has no IPv6, or none is switched on.
    static func isMissingFamily(_ code: Int32) -> Bool {
        code == -EAFNOSUPPORT || code == -EADDRNOTAVAIL || code == -EPROTONOSUPPORT
    }

    /// Whether there are no more descriptors or there is no memory, which is nobody else's fault.
    static func isExhausted(_ code: Int32) -> Bool {
        code == -EMFILE || code == -ENFILE || code == -ENOBUFS || code == -ENOMEM
    }

    /// Whether a datagram before was answered with an ICMP error that means that nobody is there.
    static func isGone(_ code: Int32) -> Bool {
        code == -ECONNREFUSED || code == -EHOSTUNREACH || code == -EHOSTDOWN || code == -ENOPROTOOPT
    }

    private static func make(_ family: IPAddress.Family, _ transport: Transport) -> Int32 {
        clinux_socket(Int32(family.rawValue), transport == .tcp ? 1 : 0)
    }

    private static func set(_ descriptor: Int32, _ level: Int32, _ option: Int32, _ value: Int32) {
        _ = clinux_set_option(descriptor, level, option, value)
    }
}
