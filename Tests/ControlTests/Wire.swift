import Glibc

/// A TCP connection to a port of this host that sends and receives exactly what a test wants.
final class Wire: Sendable {
    private let descriptor: Int32

    init?(_ port: UInt16) {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard Self.call(connect, descriptor, port) else {
            close(descriptor)
            return nil
        }
        var limit = timeval(tv_sec: 5, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    }

    deinit { close(descriptor) }

    private static func call(
        _ function: (Int32, UnsafePointer<sockaddr>, socklen_t) -> Int32, _ socket: Int32, _ port: UInt16
    ) -> Bool {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        return withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                function(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
    }

    /// A port on which no program is listening.
    static func freePort() -> UInt16 {
        let probe = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        defer { close(probe) }
        _ = call(bind, probe, 0)
        var address = sockaddr_in()
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { _ = getsockname(probe, $0, &size) }
        }
        return UInt16(bigEndian: address.sin_port)
    }

    func say(_ text: String) { _ = send(descriptor, text, text.utf8.count, Int32(MSG_NOSIGNAL)) }

    /// All data until the other end closes.
    func hear() -> String {
        var text: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65536)
        while true {
            let count = recv(descriptor, &chunk, chunk.count, 0)
            guard count > 0 else { return String(decoding: text, as: UTF8.self) }
            text += chunk[..<count]
        }
    }

    /// This many bytes, or fewer if the other end closes.
    func hear(_ count: Int) -> String {
        var text: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: count)
        while text.count < count {
            let more = recv(descriptor, &chunk, count - text.count, 0)
            guard more > 0 else { break }
            text += chunk[..<more]
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// Whether a complete answer with status 200 arrived.
    func hearAnswer() -> Bool {
        var text = ""
        var chunk = [UInt8](repeating: 0, count: 65536)
        while true {
            let count = recv(descriptor, &chunk, chunk.count, 0)
            guard count > 0 else { return false }
            text += String(decoding: chunk[..<count], as: UTF8.self)
            guard let body = text.firstRange(of: "\r\n\r\n")?.upperBound,
                let field = text.firstMatch(of: /[Cc]ontent-[Ll]ength: (\d+)/),
                let length = Int(field.output.1)
            else { continue }
            if text[body...].utf8.count >= length { return text.hasPrefix("HTTP/1.1 200") }
        }
    }

    /// Whether the other end has closed it.
    var isClosed: Bool {
        var byte: UInt8 = 0
        return recv(descriptor, &byte, 1, Int32(MSG_DONTWAIT | MSG_PEEK)) == 0 || errno == ECONNRESET
    }
}
