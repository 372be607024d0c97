import Glibc
import Lab

/// A service in a namespace that keeps listening, like sshd, in this process.
final class TCPListener {
    /// A connection to it.
    final class Connection {
        /// The address that it was made to.
        let place: String
        private let (client, server): (Int32, Int32)

        fileprivate init(_ place: String, client: Int32, server: Int32) {
            (self.place, self.client, self.server) = (place, client, server)
        }

        deinit {
            close(client)
            close(server)
        }

        /// Whether a byte arrives in both directions within two seconds, from the service first, as when a
        /// shell prints something.
        var works: Bool { Self.carries(from: server, to: client) && Self.carries(from: client, to: server) }

        private static func carries(from sender: Int32, to receiver: Int32) -> Bool {
            var byte: UInt8 = 120
            guard send(sender, &byte, 1, Int32(MSG_NOSIGNAL)) == 1 else { return false }
            var waiting = pollfd(fd: receiver, events: Int16(POLLIN), revents: 0)
            return poll(&waiting, 1, 2000) == 1 && recv(receiver, &byte, 1, 0) == 1
        }
    }

    private static let kind = Int32(
        SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)

    private let socket: Int32
    private let port: UInt16

    /// Listens on all addresses of both families.
    init(in host: Namespace, port: UInt16) {
        self.port = port
        let descriptor = host.inside { Glibc.socket(AF_INET6, Self.kind, 0) }
        socket = descriptor
        TCPProbe.with("::", port) {
            precondition(bind(descriptor, $0, $1) == 0 && listen(descriptor, 16) == 0)
        }
    }

    deinit { close(socket) }

    /// Connects to it from another namespace; nil if that takes more than two seconds.
    func connection(from client: Namespace, to place: String) -> Connection? {
        let own = client.inside { Glibc.socket(place.contains(":") ? AF_INET6 : AF_INET, Self.kind, 0) }
        _ = TCPProbe.with(place, port) { connect(own, $0, $1) }
        var waiting = pollfd(fd: socket, events: Int16(POLLIN), revents: 0)
        let accepted = poll(&waiting, 1, 2000) == 1 ? accept(socket, nil, nil) : -1
        guard accepted >= 0 else {
            close(own)
            return nil
        }
        return Connection(place, client: own, server: accepted)
    }
}
