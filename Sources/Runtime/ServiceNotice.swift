import Glibc

/// Reports the program's state to the service manager (sd_notify(3)): `READY=1`, `WATCHDOG=1`, `STOPPING=1`. Sends
/// nothing if NOTIFY_SOCKET is not set in the environment.
package struct ServiceNotice: Sendable {
    private let path: String?

    /// Uses the socket named by NOTIFY_SOCKET.
    package init() { path = getenv("NOTIFY_SOCKET").map { String(cString: $0) } }

    /// Sends one state, or several separated by newlines. Errors are ignored: a missing listener must not
    /// stop the program.
    package func send(_ state: String) {
        var address = sockaddr_un()
        // A name that begins with @ is in the abstract namespace, where the kernel expects a leading 0 byte.
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
