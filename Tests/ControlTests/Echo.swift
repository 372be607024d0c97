import Glibc
import Synchronization

/// A TCP echo server on an address of this host that counts connections.
final class Echo: Sendable {
    let port: UInt16
    let address: String
    private let listener: Int32
    private let count = Mutex(0)

    /// Listens on `127.0.0.2`, which represents the inside of the tunnel in tests, or another loopback address.
    init(_ address: String = "127.0.0.2", port: UInt16 = 0) throws {
        self.address = address
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        self.listener = listener
        var isOn: Int32 = 1
        setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &isOn, socklen_t(MemoryLayout<Int32>.size))
        var place = sockaddr_in()
        place.sin_family = sa_family_t(AF_INET)
        place.sin_port = port.bigEndian
        inet_pton(AF_INET, address, &place.sin_addr)
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let code = withUnsafeMutablePointer(to: &place) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { place in
                let code = bind(listener, place, size)
                getsockname(listener, place, &size)
                return code
            }
        }
        struct NoPort: Error {}
        guard code == 0, listen(listener, 64) == 0 else { throw NoPort() }
        self.port = UInt16(bigEndian: place.sin_port)
        Thread.detach {
            while true {
                let connection = accept(listener, nil, nil)
                guard connection >= 0 else { return }
                self.count.withLock { $0 += 1 }
                Thread.detach {
                    var chunk = [UInt8](repeating: 0, count: 4096)
                    while true {
                        let count = recv(connection, &chunk, chunk.count, 0)
                        guard count > 0 else { break }
                        _ = send(connection, chunk, count, Int32(MSG_NOSIGNAL))
                    }
                    close(connection)
                }
            }
        }
    }

    /// The number of connections so far.
    var connections: Int { count.withLock { $0 } }

    /// Stops accepting connections.
    func stop() {
        shutdown(listener, Int32(SHUT_RDWR))
        close(listener)
    }
}

extension Wire {
    /// The echo of a text, or less if the other end closes.
    func exchange(_ text: String) -> String {
        say(text)
        return hear(text.utf8.count)
    }
}
