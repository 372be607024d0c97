// SOCK_RAW comes from whichever of these the compiler loads first.
import CLinux
import CNetlink
import Glibc
import Packet
import Runtime
import Settings

/// The owners of this host's ports: of listening TCP sockets and unconnected UDP sockets, from the kernel over
/// netlink (sock_diag(7)), or from /proc/net where the kernel was built without it.
package struct PortHolders: Sendable {
    /// A socket that holds a port.
    package struct Holder: Hashable, Sendable {
        var transport: TransportProtocol
        var port: UInt16
        var user: UInt32
        /// Whether it is bound to a loopback address, which other hosts cannot reach.
        var isLoopback: Bool
    }

    private var holders: [UInt32: [Holder]] = [:]

    init(_ holders: [Holder]) {
        for holder in holders {
            self.holders[Self.key(holder.transport, holder.port), default: []].append(holder)
        }
    }

    /// Asks the kernel for the sockets of these transports.
    /// - Throws: `HostError.file` if the list cannot be read.
    package init(_ transports: Set<TransportProtocol>) throws(HostError) {
        var found: [Holder] = []
        for transport in transports {
            for family in [AF_INET, AF_INET6] {
                if let more = DiagnosticSocket.holders(transport, UInt8(family)) {
                    found += more
                } else {
                    found += try Self.list(transport, isIPv6: family == AF_INET6)
                }
            }
        }
        self.init(found)
    }

    /// Why the kernel must not redirect a service's ports on behalf of `user`, one sentence; nil if it may. The user has to hold each
    /// port itself, and no other user may hold it on an address that other hosts reach.
    package func refusal(of service: KernelService, for user: UInt32) -> String? {
        guard service.accepts else { return nil }
        for port in service.ports {
            let holders = holders[Self.key(service.transport, port)] ?? []
            let name = "\(service.transport.word) port \(port)"
            if let other = holders.first(where: { $0.user != user && !$0.isLoopback }) {
                return
                    "service \(service.name.debugDescription) has \(name), which a program of user \(other.user) holds"
            }
            guard holders.contains(where: { $0.user == user }) else {
                return
                    "service \(service.name.debugDescription) has \(name), which no program of user \(user) holds"
            }
        }
        return nil
    }

    private static func key(_ transport: TransportProtocol, _ port: UInt16) -> UInt32 {
        UInt32(transport.rawValue) << 16 | UInt32(port)
    }

    // MARK: /proc/net

    private static let largestList = 64 << 20

    private static func list(
        _ transport: TransportProtocol, isIPv6: Bool
    ) throws(HostError) -> [Holder] {
        let path = "/proc/net/\(transport.word)\(isIPv6 ? "6" : "")"
        do throws(TextFile.Failure) {
            return holders(in: try TextFile.read(path, limit: largestList), transport)
        } catch {
            // A kernel without IPv6 has no such list.
            if isIPv6 && error.isMissing { return [] }
            throw .file("read", path: path, errno: EIO)
        }
    }

    /// Parses such a list: number, local address, remote address, state, queues, timer, retransmissions, user, …
    static func holders(in text: String, _ transport: TransportProtocol) -> [Holder] {
        // TCP_LISTEN, and TCP_CLOSE, the state of UDP sockets without a peer.
        let state = transport == .tcp ? "0A" : "07"
        return text.split(separator: "\n").dropFirst().compactMap { line in
            let words = line.split(separator: " ", maxSplits: 8)
            guard words.count > 7, words[3] == state, let user = UInt32(words[7]) else { return nil }
            let local = words[1].split(separator: ":")
            guard local.count == 2, let port = UInt16(local[1], radix: 16) else { return nil }
            // Words in the byte order of the host: 127.0.0.1 is 0100007F where that is little-endian.
            let isLoopback =
                local[0].count == 8
                ? local[0].hasSuffix("7F")
                : local[0].hasSuffix("01000000") && local[0].dropLast(8).allSatisfy { $0 == "0" }
            return Holder(transport: transport, port: port, user: user, isLoopback: isLoopback)
        }
    }
}

/// Lists sockets over netlink (sock_diag(7)).
private enum DiagnosticSocket {
    private static let netlinkDiagnostics: Int32 = 4
    private static let byFamily: UInt16 = 20
    private static let headerSize = 16
    private static let requestSize = 56
    private static let answerSize = 72
    private static let dump: UInt16 = 0x301
    /// More messages than a host has sockets, so that the loop always ends.
    private static let mostReads = 100_000

    /// The sockets of a transport and family that hold ports; nil if this kernel cannot list them.
    static func holders(_ transport: TransportProtocol, _ family: UInt8) -> [PortHolders.Holder]? {
        let socket = Glibc.socket(
            AF_NETLINK, Int32(SOCK_RAW.rawValue | SOCK_CLOEXEC.rawValue), netlinkDiagnostics)
        guard socket >= 0 else { return nil }
        defer { close(socket) }
        let request = request(transport, family)
        guard send(socket, request, request.count, 0) == request.count else { return nil }
        var holders: [PortHolders.Holder] = []
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        for _ in 0..<mostReads {
            let count = recv(socket, &buffer, buffer.count, 0)
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { return nil }
            switch take(buffer[..<count], transport, family, &holders) {
            case .more: continue
            case .done: return holders
            case .failed: return nil
            }
        }
        return nil
    }

    private enum Progress {
        case more
        case done
        case failed
    }

    /// `nlmsghdr` and `inet_diag_req_v2` of linux/inet_diag.h: family, protocol, states; all ports and addresses.
    private static func request(_ transport: TransportProtocol, _ family: UInt8) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: headerSize + requestSize)
        bytes.withUnsafeMutableBytes { bytes in
            bytes.storeBytes(of: UInt32(bytes.count), toByteOffset: 0, as: UInt32.self)
            bytes.storeBytes(of: byFamily, toByteOffset: 4, as: UInt16.self)
            bytes.storeBytes(of: dump, toByteOffset: 6, as: UInt16.self)
            bytes[headerSize] = family
            bytes[headerSize + 1] = transport.rawValue
            // TCP_LISTEN is 10, TCP_CLOSE 7.
            let states: UInt32 = transport == .tcp ? 1 << 10 : 1 << 7
            bytes.storeBytes(of: states, toByteOffset: headerSize + 4, as: UInt32.self)
        }
        return bytes
    }

    /// `inet_diag_msg`: port at 4 and address at 8, both in network order, user at 64.
    private static func take(
        _ bytes: ArraySlice<UInt8>, _ transport: TransportProtocol, _ family: UInt8,
        _ holders: inout [PortHolders.Holder]
    ) -> Progress {
        var rest = bytes
        while rest.count >= headerSize {
            let start = rest.startIndex
            let (length, type) = rest.withUnsafeBytes {
                (
                    Int($0.loadUnaligned(fromByteOffset: 0, as: UInt32.self)),
                    $0.loadUnaligned(fromByteOffset: 4, as: UInt16.self)
                )
            }
            guard length >= headerSize, length <= rest.count else { return .failed }
            if type == UInt16(NLMSG_DONE) { return .done }
            if type == UInt16(NLMSG_ERROR) { return .failed }
            if type == byFamily, length >= headerSize + answerSize {
                let body = rest[(start + headerSize)..<(start + length)]
                let at = body.startIndex
                let address = body[(at + 8)..<(at + 24)]
                let isLoopback =
                    family == UInt8(AF_INET)
                    ? address.first == 127 : address.last == 1 && address.dropLast().allSatisfy { $0 == 0 }
                holders.append(
                    PortHolders.Holder(
                        transport: transport, port: UInt16(body[at + 4]) << 8 | UInt16(body[at + 5]),
                        user: body.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: 64, as: UInt32.self) },
                        isLoopback: isLoopback))
            }
            rest = rest.dropFirst((length + 3) & ~3)
        }
        return .more
    }
}
