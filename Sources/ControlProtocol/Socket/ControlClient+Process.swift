import Glibc

extension ControlClient {
    /// The process listening on the socket at `path`, as reported by the kernel (SO_PEERCRED, unix(7)).
    /// - Throws: `notRunning`, `socketForbidden`, `socketPathTooLong` or `file`.
    public static func process(behind path: String) throws(SocketError) -> pid_t {
        let descriptor = try connect(path, 1000)
        defer { close(descriptor) }
        // struct ucred: process, user, group.
        var credentials: [Int32] = [0, 0, 0]
        var size = socklen_t(credentials.count * MemoryLayout<Int32>.size)
        guard getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &credentials, &size) == 0 else {
            throw .file("ask who listens on", path: path, errno: errno)
        }
        return credentials[0]
    }
}
