import CLinux
import Glibc

/// The address of a Unix socket in the file system.
struct UnixAddress {
    let path: String
    private var address = sockaddr_un()

    init(_ path: String) throws(SocketError) {
        self.path = path
        // The kernel accepts 108 bytes, the last of which must be 0.
        let bytes = Array(path.utf8)
        guard (1..<MemoryLayout.size(ofValue: address.sun_path)).contains(bytes.count) else {
            throw .socketPathTooLong(path: path)
        }
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
    }

    /// Calls `bind` or `connect` with this address: returns 0 or the errno.
    func call(_ function: (Int32, UnsafePointer<sockaddr>, socklen_t) -> Int32, _ socket: Int32) -> Int32 {
        withUnsafeBytes(of: address) { bytes in
            let address = bytes.baseAddress!.assumingMemoryBound(to: sockaddr.self)
            return function(socket, address, socklen_t(MemoryLayout<sockaddr_un>.size)) == 0 ? 0 : errno
        }
    }

    /// Opens a close-on-exec stream socket for this family.
    static func open(blocking: Bool) throws(SocketError) -> Int32 {
        let flags = SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | (blocking ? 0 : SOCK_NONBLOCK.rawValue)
        let descriptor = socket(AF_UNIX, Int32(flags), 0)
        guard descriptor >= 0 else { throw .file("open", path: "a Unix socket", errno: errno) }
        return descriptor
    }
}
