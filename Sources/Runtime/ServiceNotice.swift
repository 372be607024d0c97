import Glibc

/// Tells the service manager how the program is doing (sd_notify(3)): `READY=1`, `WATCHDOG=1`, `STOPPING=1`. Without
/// NOTIFY_SOCKET in the environment nothing is sent.
public struct ServiceNotice: Sendable {
    private let path: String?

    /// To the socket that the environment names.
    public init() { path = getenv("NOTIFY_SOCKET").map { String(cString: $0) } }

    /// Sends one state, or several on a line each. A service manager that does not listen is ignored.
    public func send(_ state: String) {
        var address = sockaddr_un()
        // A name that begins with @ is of the abstract namespace, which the kernel writes with a 0.
        guard var name = path.map({ Array($0.utf8) }),
            (2...MemoryLayout.size(ofValue: address.sun_path)).contains(name.count)
        else { return }
        if name[0] == UInt8(ascii: "@") { name[0] = 0 }
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: name) }
        let size = socklen_t(MemoryLayout<sa_family_t>.size + name.count)
        let socket = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard socket >= 0 else { return }
        defer { close(socket) }
        let text = Array(state.utf8)
        withUnsafePointer(to: &address) { address in
            address.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                _ = sendto(socket, text, text.count, Int32(MSG_NOSIGNAL | MSG_DONTWAIT), $0, size)
            }
        }
    }
}
