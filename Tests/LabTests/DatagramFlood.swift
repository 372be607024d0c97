import Glibc

@testable import Lab

/// Many small UDP datagrams from one namespace to another: quicker than pings if only counts matter.
struct DatagramFlood {
    private let sender: Int32
    private let receiver: Int32
    private var target = sockaddr_in()

    init(from client: Namespace, to server: Namespace, address: String) throws {
        sender = client.inside { socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0) }
        receiver = server.inside { socket(AF_INET, Int32(SOCK_DGRAM.rawValue | SOCK_NONBLOCK.rawValue), 0) }
        var size: Int32 = 16 << 20
        setsockopt(receiver, SOL_SOCKET, SO_RCVBUFFORCE, &size, 4)
        target.sin_family = sa_family_t(AF_INET)
        target.sin_port = UInt16(9999).bigEndian
        inet_pton(AF_INET, address, &target.sin_addr)
        var local = target
        let bound = Self.withAddress(&local) { bind(receiver, $0, $1) }
        guard bound == 0 else { throw LabError.system(call: "bind", errno: errno) }
    }

    /// Sends `count` datagrams of 100 bytes and returns how many arrived, `settle` microseconds after the last.
    func run(count: Int, settle: UInt32 = 400_000) throws -> Int {
        defer {
            close(sender)
            close(receiver)
        }
        var bytes = [UInt8](repeating: 7, count: 100)
        var target = target
        for i in 0..<count {
            let sent = Self.withAddress(&target) { sendto(sender, bytes, bytes.count, 0, $0, $1) }
            guard sent == bytes.count else { throw LabError.system(call: "sendto", errno: errno) }
            if i % 200 == 199 { usleep(2000) }  // the interface's own queue must not overflow
        }
        usleep(settle)
        var received = 0
        while recv(receiver, &bytes, bytes.count, 0) > 0 { received += 1 }
        return received
    }

    private static func withAddress<R>(
        _ address: inout sockaddr_in, _ body: (UnsafePointer<sockaddr>, socklen_t) -> R
    ) -> R {
        withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
    }
}
