import CLinux
import Glibc

/// An IPv4 address and a port, as the kernel has them.
struct SocketAddress: Sendable {
    private var address: sockaddr_in

    /// Throws `badAddress`.
    init(_ text: String, port: UInt16) throws(LabError) {
        address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        guard inet_pton(AF_INET, text, &address.sin_addr) == 1 else { throw .badAddress(text) }
    }

    /// Calls `body` with it, for `bind` and `connect`.
    func with(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32) -> Int32 {
        withUnsafePointer(to: address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
    }

    /// A socket of the calling thread's namespace that never blocks; -1 when there is none to be had.
    static func open(_ type: __socket_type) -> Int32 {
        socket(AF_INET, Int32(type.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue), 0)
    }
}
