import CLinux
import Glibc

/// An IPv4 address and a port in the kernel's form.
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

    /// Opens a nonblocking socket in the calling thread's namespace; -1 if that fails.
    static func open(_ type: __socket_type) -> Int32 {
        socket(AF_INET, Int32(type.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue), 0)
    }
}
