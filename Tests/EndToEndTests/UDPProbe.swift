import Glibc
import Lab

/// One UDP flow between two namespaces, in this process.
final class UDPProbe {
    private let user: Int32
    private let target: Int32
    /// The user's last address as seen by the target.
    private var heard = sockaddr_storage()
    private var heardSize = socklen_t(0)

    /// - Parameters:
    ///   - address: the address that the user sends to.
    ///   - place: the target's listening address.
    init(
        from client: Namespace, to server: Namespace, _ address: String, port: UInt16,
        at place: (address: String, port: UInt16)
    ) {
        let family = address.contains(":") ? AF_INET6 : AF_INET
        let kind = Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue)
        let (user, target) = (
            client.inside { socket(family, kind, 0) }, server.inside { socket(family, kind, 0) }
        )
        (self.user, self.target) = (user, target)
        TCPProbe.with(place.address, place.port) { precondition(bind(target, $0, $1) == 0) }
        TCPProbe.with(address, port) { precondition(connect(user, $0, $1) == 0) }
    }

    deinit {
        close(user)
        close(target)
    }

    /// The user's address as seen by the target, if a datagram arrives within this many milliseconds.
    func ask(milliseconds: Int32 = 2000) -> String? {
        guard send(user, "ask", 3, 0) == 3 else { return nil }
        var waiting = pollfd(fd: target, events: Int16(POLLIN), revents: 0)
        guard poll(&waiting, 1, milliseconds) == 1 else { return nil }
        var bytes = [UInt8](repeating: 0, count: 16)
        heardSize = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let count = withUnsafeMutableBytes(of: &heard) {
            recvfrom(
                target, &bytes, bytes.count, 0, $0.baseAddress!.assumingMemoryBound(to: sockaddr.self),
                &heardSize)
        }
        return count == 3 ? TCPProbe.host(&heard) : nil
    }

    /// Whether a datagram back arrives within this many milliseconds.
    func answer(milliseconds: Int32 = 2000) -> Bool {
        let sent = withUnsafeBytes(of: heard) {
            sendto(target, "yes", 3, 0, $0.baseAddress!.assumingMemoryBound(to: sockaddr.self), heardSize)
        }
        var waiting = pollfd(fd: user, events: Int16(POLLIN), revents: 0)
        var bytes = [UInt8](repeating: 0, count: 16)
        return sent == 3 && poll(&waiting, 1, milliseconds) == 1 && recv(user, &bytes, bytes.count, 0) == 3
    }
}
