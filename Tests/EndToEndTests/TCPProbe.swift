import Glibc
import Lab

/// One TCP connection between two namespaces, in this process.
final class TCPProbe {
    /// Why there is no connection.
    struct Refused: Error {
        let errno: Int32
        /// How long it took to find out, in seconds.
        let seconds: Double
    }

    /// The client's address as the server sees it.
    let peer: String
    private let sockets: [Int32]

    /// Connects from one namespace to an address of the other. Throws `Refused`.
    /// - Parameter place: the listening address and port, if they differ from those that the client connects to.
    init(
        from client: Namespace, to server: Namespace, _ address: String, port: UInt16 = 8080,
        at place: (address: String, port: UInt16)? = nil
    ) throws {
        let family = address.contains(":") ? AF_INET6 : AF_INET
        let kind = Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
        let (own, listener) = (
            client.inside { socket(family, kind, 0) }, server.inside { socket(family, kind, 0) }
        )
        defer { close(listener) }
        var one: Int32 = 1
        setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, 4)
        Self.with(place?.address ?? address, place?.port ?? port) {
            precondition(bind(listener, $0, $1) == 0 && listen(listener, 1) == 0)
        }
        let start = Clock.monotonic
        var code = Self.with(address, port) { connect(own, $0, $1) } == 0 ? 0 : errno
        if code == EINPROGRESS {
            var waiting = pollfd(fd: own, events: Int16(POLLOUT), revents: 0)
            code = poll(&waiting, 1, 2000) == 1 ? Self.error(of: own) : ETIMEDOUT
        }
        var waiting = pollfd(fd: listener, events: Int16(POLLIN), revents: 0)
        let accepted = code == 0 && poll(&waiting, 1, 2000) == 1 ? accept(listener, nil, nil) : -1
        guard accepted >= 0 else {
            close(own)
            throw Refused(errno: code == 0 ? errno : code, seconds: Clock.monotonic - start)
        }
        peer = Self.peer(of: accepted)
        sockets = [own, accepted]
    }

    deinit { for socket in sockets { close(socket) } }

    /// The largest segment that the server sends, in bytes: the client's announcement, or the MTU of the
    /// server's own interface.
    var segmentSize: Int32 {
        var size: Int32 = 0
        var length = socklen_t(4)
        getsockopt(sockets[1], Int32(IPPROTO_TCP), TCP_MAXSEG, &size, &length)
        return size
    }

    /// Whether a byte sent by the client arrives within this many milliseconds.
    func carries(milliseconds: Int32) -> Bool {
        guard send(sockets[0], "x", 1, Int32(MSG_NOSIGNAL)) == 1 else { return false }
        var waiting = pollfd(fd: sockets[1], events: Int16(POLLIN), revents: 0)
        var byte: UInt8 = 0
        return poll(&waiting, 1, milliseconds) == 1 && recv(sockets[1], &byte, 1, 0) == 1
    }

    /// Whether a byte sent by the server arrives within this many milliseconds.
    func carriesBack(milliseconds: Int32) -> Bool {
        guard send(sockets[1], "x", 1, Int32(MSG_NOSIGNAL)) == 1 else { return false }
        var waiting = pollfd(fd: sockets[0], events: Int16(POLLIN), revents: 0)
        var byte: UInt8 = 0
        return poll(&waiting, 1, milliseconds) == 1 && recv(sockets[0], &byte, 1, 0) == 1
    }

    /// The client's and the server's sockets, which are nonblocking.
    var ends: (client: Int32, server: Int32) { (sockets[0], sockets[1]) }

    private static func error(of socket: Int32) -> Int32 {
        var code: Int32 = 0
        var size = socklen_t(4)
        getsockopt(socket, SOL_SOCKET, SO_ERROR, &code, &size)
        return code
    }

    static func with<Result>(
        _ address: String, _ port: UInt16, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Result
    ) -> Result {
        if address.contains(":") {
            var name = sockaddr_in6()
            name.sin6_family = sa_family_t(AF_INET6)
            name.sin6_port = port.bigEndian
            inet_pton(AF_INET6, address, &name.sin6_addr)
            return withUnsafeBytes(of: name) {
                body($0.baseAddress!.assumingMemoryBound(to: sockaddr.self), socklen_t($0.count))
            }
        }
        var name = sockaddr_in()
        name.sin_family = sa_family_t(AF_INET)
        name.sin_port = port.bigEndian
        inet_pton(AF_INET, address, &name.sin_addr)
        return withUnsafeBytes(of: name) {
            body($0.baseAddress!.assumingMemoryBound(to: sockaddr.self), socklen_t($0.count))
        }
    }

    private static func peer(of socket: Int32) -> String {
        var storage = sockaddr_storage()
        withUnsafeMutableBytes(of: &storage) {
            var size = socklen_t($0.count)
            getpeername(socket, $0.baseAddress!.assumingMemoryBound(to: sockaddr.self), &size)
        }
        return host(&storage)
    }

    /// The address in a name, as text.
    static func host(_ storage: inout sockaddr_storage) -> String {
        let size = socklen_t(MemoryLayout<sockaddr_storage>.size)
        var host = [CChar](repeating: 0, count: 64)
        withUnsafeMutableBytes(of: &storage) {
            let address = $0.baseAddress!.assumingMemoryBound(to: sockaddr.self)
            getnameinfo(address, size, &host, 64, nil, 0, NI_NUMERICHOST)
        }
        return String(decoding: host.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
}
