import Glibc
import Hostile
import Lab
import Packet

/// The sockets of one link of a hostile client, each with its own source port.
final class HostileLink {
    private var sockets: [Int32] = []
    private var buffer = [UInt8](repeating: 0, count: 2048)
    /// Maximum number of datagrams read before the other links get their turn.
    private static let run = 512

    /// Sockets that are connected to `server`. Throws `system`.
    init(to server: Endpoint) throws(LabError) {
        for _ in 0..<HostilePeer.sources {
            let family = server.address.family == .v4 ? AF_INET : AF_INET6
            let descriptor = socket(
                family, Int32(SOCK_DGRAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue), 0)
            guard descriptor >= 0 else { throw .system(call: "socket", errno: errno) }
            sockets.append(descriptor)
            var size: Int32 = 4 << 20
            setsockopt(descriptor, SOL_SOCKET, SO_RCVBUFFORCE, &size, socklen_t(MemoryLayout<Int32>.size))
            guard Self.connect(descriptor, to: server) == 0 else {
                throw .system(call: "connect", errno: errno)
            }
        }
    }

    deinit { for socket in sockets { close(socket) } }

    private static func connect(_ descriptor: Int32, to server: Endpoint) -> Int32 {
        func connect<Name>(_ name: Name) -> Int32 {
            withUnsafeBytes(of: name) {
                Glibc.connect(
                    descriptor, $0.baseAddress!.assumingMemoryBound(to: sockaddr.self), socklen_t($0.count))
            }
        }
        if server.address.family == .v4 {
            var name = sockaddr_in()
            name.sin_family = sa_family_t(AF_INET)
            name.sin_port = server.port.bigEndian
            name.sin_addr.s_addr = UInt32(truncatingIfNeeded: server.address.low).bigEndian
            return connect(name)
        }
        var name = sockaddr_in6()
        name.sin6_family = sa_family_t(AF_INET6)
        name.sin6_port = server.port.bigEndian
        withUnsafeMutableBytes(of: &name.sin6_addr) { server.address.write(to: $0) }
        return connect(name)
    }

    /// Sends a datagram, which is lost if the kernel's buffer is full.
    func send(_ bytes: [UInt8], from source: Int) {
        _ = bytes.withUnsafeBytes { Glibc.send(sockets[source], $0.baseAddress, $0.count, 0) }
    }

    /// Reads the datagrams that have arrived.
    func receive(_ body: (UnsafeRawBufferPointer) -> Void) {
        for socket in sockets {
            for _ in 0..<Self.run {
                let count = recv(socket, &buffer, buffer.count, 0)
                if count <= 0 { break }
                buffer.withUnsafeBytes { body(UnsafeRawBufferPointer(rebasing: $0[..<count])) }
            }
        }
    }
}
