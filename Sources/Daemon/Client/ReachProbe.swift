import Glibc
import Host
import Packet

/// Finds whether protocols other than UDP reach the server by an uplink: tries a TCP connection and an ICMP
/// echo once, at the lowest cost. Never waits; `look` takes the answers.
package final class ReachProbe {
    /// The protocol that passed.
    package enum Passing: String {
        case tcp = "TCP"
        case icmp = "ICMP"
    }

    /// The time for answers.
    private static let patience = Interval.seconds(5)
    /// At most one probe in this time, because metered uplinks pay for it.
    static let pause = Interval.seconds(60)
    /// The port on which a login page answers in place of the server.
    private static let pagePort: UInt16 = 80

    let startedAt: Instant
    package private(set) var passing: Passing?
    private var connections: [Int32] = []
    private var echo: Int32?
    private let family: IPAddress.Family

    /// Begins to try `endpoint` by an interface.
    package init(_ endpoint: Endpoint, by interface: String, now: Instant) {
        startedAt = now
        family = endpoint.address.family
        let host =
            "\(endpoint.address)" + (endpoint.address.isLinkLocal && family == .v6 ? "%\(interface)" : "")
        for port in Set([endpoint.port, Self.pagePort]) {
            if let socket = Self.open(host, port, interface, kind: Int32(SOCK_STREAM.rawValue), 0) {
                connections.append(socket)
            }
        }
        let icmp = family == .v4 ? Int32(IPPROTO_ICMP) : Int32(IPPROTO_ICMPV6)
        if let socket = Self.open(host, 0, interface, kind: Int32(SOCK_RAW.rawValue), icmp) {
            echo = socket
            sendEcho(on: socket)
        }
    }

    deinit { finish() }

    /// Takes the answers. Any answer shows that the protocol passes, except a refusal by ICMP, which comes
    /// from a router.
    package func look(now: Instant) {
        guard passing == nil else { return }
        for socket in connections where Self.isAnswered(socket) { passing = .tcp }
        if passing == nil, let echo, hasEcho(on: echo) { passing = .icmp }
        if passing != nil || now - startedAt > Self.patience { finish() }
    }

    private func finish() {
        for socket in connections { close(socket) }
        if let echo { close(echo) }
        (connections, echo) = ([], nil)
    }

    private static func open(
        _ host: String, _ port: UInt16, _ interface: String, kind: Int32, _ protocolNumber: Int32
    ) -> Int32? {
        var hints = addrinfo()
        (hints.ai_flags, hints.ai_socktype) = (AI_NUMERICHOST | AI_NUMERICSERV, Int32(SOCK_STREAM.rawValue))
        var list: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(host, "\(port)", &hints, &list) == 0, let place = list?.pointee else { return nil }
        defer { freeaddrinfo(list) }
        let flags = Int32(SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
        let descriptor = socket(place.ai_family, kind | flags, protocolNumber)
        guard descriptor >= 0 else { return nil }
        var mark = TunnelMark.value
        var one: Int32 = 1
        _ =
            place.ai_family == AF_INET
            ? setsockopt(descriptor, Int32(IPPROTO_IP), IP_RECVERR, &one, 4)
            : setsockopt(descriptor, Int32(IPPROTO_IPV6), IPV6_RECVERR, &one, 4)
        guard setsockopt(descriptor, SOL_SOCKET, SO_MARK, &mark, 4) == 0,
            setsockopt(
                descriptor, SOL_SOCKET, SO_BINDTODEVICE, interface, socklen_t(interface.utf8.count)) == 0,
            connect(descriptor, place.ai_addr, place.ai_addrlen) == 0 || errno == EINPROGRESS
        else {
            close(descriptor)
            return nil
        }
        return descriptor
    }

    /// Whether a connection was accepted, or reset by its peer.
    private static func isAnswered(_ socket: Int32) -> Bool {
        var watched = pollfd(fd: socket, events: Int16(POLLOUT), revents: 0)
        guard poll(&watched, 1, 0) > 0 else { return false }
        var byte: UInt8 = 0
        if recv(socket, &byte, 1, Int32(MSG_ERRQUEUE)) >= 0 { return false }
        var code: Int32 = 0
        var size = socklen_t(4)
        getsockopt(socket, SOL_SOCKET, SO_ERROR, &code, &size)
        return code == 0 || code == ECONNREFUSED || code == ECONNRESET
    }

    /// An echo request of ICMP (RFC 792) or ICMPv6 (RFC 4443 section 4.1), whose checksum is the kernel's to
    /// fill in.
    private func sendEcho(on socket: Int32) {
        var request: [UInt8] = [family == .v4 ? 8 : 128, 0, 0, 0] + Self.identifier + [0, 1]
        if family == .v4 {
            var sum = stride(from: 0, to: request.count, by: 2).reduce(UInt32(0)) {
                $0 + UInt32(request[$1]) << 8 + UInt32(request[$1 + 1])
            }
            sum = (sum & 0xFFFF) + sum >> 16
            (request[2], request[3]) = (UInt8(~sum >> 8 & 0xFF), UInt8(~sum & 0xFF))
        }
        _ = send(socket, request, request.count, 0)
    }

    private func hasEcho(on socket: Int32) -> Bool {
        var bytes = [UInt8](repeating: 0, count: 256)
        for _ in 0..<64 {
            let count = recv(socket, &bytes, bytes.count, 0)
            guard count > 0 else { return false }
            // IPv4 comes with its header, IPv6 does not.
            let start = family == .v4 ? Int(bytes[0] & 0x0F) * 4 : 0
            guard start + 8 <= count, bytes[start] == (family == .v4 ? 0 : 129) else { continue }
            if Array(bytes[start + 4..<start + 6]) == Self.identifier { return true }
        }
        return false
    }

    private static var identifier: [UInt8] { [UInt8(getpid() >> 8 & 0xFF), UInt8(getpid() & 0xFF)] }
}
