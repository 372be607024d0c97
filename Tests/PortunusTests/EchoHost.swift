import Glibc
import Synchronization

/// A host in the tunnel, 127.0.0.2 here, with a TCP echo service.
final class EchoHost: Sendable {
    static let address = "127.0.0.2"
    let port: UInt16
    private let listener: Int32

    init() {
        (listener, port) = TCP.bound(Self.address)
        listen(listener, 64)
        TCP.detach { [listener] in
            while case let client = accept(listener, nil, nil), client >= 0 {
                TCP.detach {
                    var bytes = [UInt8](repeating: 0, count: 65536)
                    while case let count = recv(client, &bytes, bytes.count, 0), count > 0 {
                        _ = send(client, bytes, count, Int32(MSG_NOSIGNAL))
                    }
                    close(client)
                }
            }
        }
    }

    deinit { shutdown(listener, Int32(SHUT_RDWR)) }
}

/// A user's connection to a port of the server, 127.0.0.1 here.
final class Visit {
    private let descriptor: Int32

    /// Nil if the connection is refused.
    init?(_ port: UInt16) {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var time = timeval(tv_sec: 5, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &time, socklen_t(MemoryLayout<timeval>.size))
        let code = TCP.withAddress("127.0.0.1", port) { connect(descriptor, $0, $1) }
        if code != 0 { return nil }
    }

    deinit { close(descriptor) }

    /// Sends that many bytes; returns how many come back.
    func exchange(_ count: Int) -> Int {
        var bytes = [UInt8](repeating: 7, count: count)
        var heard = 0
        guard send(descriptor, bytes, count, Int32(MSG_NOSIGNAL)) == count else { return 0 }
        while heard < count, case let more = recv(descriptor, &bytes, count, 0), more > 0 { heard += more }
        return heard
    }
}

enum TCP {
    /// A port that was free a moment ago.
    static var freePort: UInt16 {
        let (socket, port) = bound("0.0.0.0")
        close(socket)
        return port
    }

    static func bound(_ address: String) -> (Int32, UInt16) {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        precondition(withAddress(address, 0) { bind(descriptor, $0, $1) } == 0)
        var place = sockaddr_in()
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        _ = withUnsafeMutablePointer(to: &place) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &size) }
        }
        return (descriptor, UInt16(bigEndian: place.sin_port))
    }

    static func withAddress(
        _ address: String, _ port: UInt16, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32
    ) -> Int32 {
        var place = sockaddr_in()
        place.sin_family = sa_family_t(AF_INET)
        place.sin_port = port.bigEndian
        inet_pton(AF_INET, address, &place.sin_addr)
        return withUnsafePointer(to: &place) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
    }

    static func detach(_ body: @escaping @Sendable () -> Void) {
        final class Box: Sendable {
            let body: @Sendable () -> Void
            init(_ body: @escaping @Sendable () -> Void) { self.body = body }
        }
        var thread = pthread_t()
        let code = pthread_create(
            &thread, nil,
            {
                Unmanaged<Box>.fromOpaque($0!).takeRetainedValue().body()
                return nil
            }, Unmanaged.passRetained(Box(body)).toOpaque())
        precondition(code == 0, "no thread")
        pthread_detach(thread)
    }
}
