import Foundation
import Glibc
import Lab
import Synchronization

/// A thousand requests per second at a health endpoint, and connections there that stall.
final class HealthCrowd: Sendable {
    private let stalled: [Int32]
    private let goesOn = Atomic<Bool>(true)
    private let answered = Atomic<Int>(0)
    private let begun = Clock.monotonic
    private let ended = DispatchSemaphore(value: 0)

    /// - Parameter count: the number of connections that send half a request and stall.
    init(in namespace: Namespace, port: UInt16, stalled count: Int) throws {
        var connections = namespace.inside { (0...count).map { _ in Self.connection(to: port) } }
        let asking = connections.removeLast()
        stalled = connections
        for connection in connections { Self.say("GET /healthz HTTP/1.1\r\nHost: ", connection) }
        DispatchQueue(label: "crowd").async { [self] in
            ask(asking)
            ended.signal()
        }
    }

    /// Stops the requests.
    /// - Returns: the number of requests answered, and in how many seconds.
    func stop() -> (answered: Int, seconds: Double) {
        goesOn.store(false, ordering: .relaxed)
        ended.wait()
        let seconds = Clock.monotonic - begun
        for connection in stalled { close(connection) }
        return (answered.load(ordering: .relaxed), seconds)
    }

    /// Ten requests at a time, as a hundred sleeps per second are exact enough.
    private func ask(_ connection: Int32) {
        defer { close(connection) }
        let request = "GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n"
        var sent = 0
        var chunk = [UInt8](repeating: 0, count: 65536)
        var last: UInt8 = 0
        while goesOn.load(ordering: .relaxed) {
            let due = Int((Clock.monotonic - begun) * 1000)
            let batch = min(due - sent, 50)
            if batch > 0 {
                Self.say(String(repeating: request, count: batch), connection)
                sent += batch
            }
            while answered.load(ordering: .relaxed) < sent {
                let count = recv(connection, &chunk, chunk.count, 0)
                guard count > 0 else { return }
                // Each answer's body ends with the only newline that follows a brace.
                var answers = 0
                for byte in chunk[..<count] {
                    if last == UInt8(ascii: "}") && byte == UInt8(ascii: "\n") { answers += 1 }
                    last = byte
                }
                answered.add(answers, ordering: .relaxed)
            }
            usleep(10_000)
        }
    }

    private static func say(_ text: String, _ connection: Int32) {
        _ = send(connection, text, text.utf8.count, Int32(MSG_NOSIGNAL))
    }

    private static func connection(to port: UInt16) -> Int32 {
        let connection = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        _ = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(connection, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        var limit = timeval(tv_sec: 2, tv_usec: 0)
        setsockopt(connection, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        return connection
    }
}
