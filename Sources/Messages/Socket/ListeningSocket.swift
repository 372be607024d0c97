import Glibc

/// The Unix socket in the file system that clients connect to, gone when the value is.
///
/// It is for its owner alone (0600); for the group, too (0660), where root runs the program with an effective group that is
/// not root's: a service manager that sets one says by it who else may speak to the program.
struct ListeningSocket: ~Copyable {
    let fileDescriptor: Int32
    private let path: String
    private let device: dev_t
    private let inode: ino_t

    /// Makes the socket, and its directory (0755, or 0770 with a group) when that is missing. A socket that nobody answers on any more is
    /// replaced.
    init(path: String, isForGroup: Bool = Self.isForGroup) throws(SocketError) {
        let address = try UnixAddress(path)
        if let slash = path.lastIndex(of: "/"), slash != path.startIndex {
            let directory = String(path[..<slash])
            if mkdir(directory, 0o755) == 0 {
                // Whatever the umask is: others of the group have sockets there.
                if isForGroup { chmod(directory, 0o1770) }
            } else if errno != EEXIST {
                throw .file("make the directory", path: directory, errno: errno)
            }
        }
        let descriptor = try UnixAddress.open(blocking: false)
        var facts = stat()
        do throws(SocketError) {
            // Before bind, so that the file is never open to more.
            guard fchmod(descriptor, isForGroup ? 0o660 : 0o600) == 0 else {
                throw .file("protect", path: path, errno: errno)
            }
            // The kernel takes the umask off it; a group's part of it must stay.
            let mask = isForGroup ? umask(0o117) : nil
            defer { if let mask { umask(mask) } }
            try Self.bind(descriptor, address)
            guard listen(descriptor, 16) == 0, stat(path, &facts) == 0 else {
                throw .file("listen on", path: path, errno: errno)
            }
        } catch {
            close(descriptor)
            throw error
        }
        fileDescriptor = descriptor
        self.path = path
        device = facts.st_dev
        inode = facts.st_ino
    }

    private static var isForGroup: Bool { geteuid() == 0 && getegid() != 0 }

    deinit {
        close(fileDescriptor)
        // Only our own: somebody may have put another there.
        var facts = stat()
        if stat(path, &facts) == 0, facts.st_dev == device, facts.st_ino == inode { unlink(path) }
    }

    private static func bind(_ descriptor: Int32, _ address: UnixAddress) throws(SocketError) {
        let path = address.path
        var code = address.call(Glibc.bind, descriptor)
        if code == EADDRINUSE {
            var facts = stat()
            if lstat(path, &facts) == 0, facts.st_mode & S_IFMT != S_IFSOCK { throw .notASocket(path: path) }
            let probe = try UnixAddress.open(blocking: false)
            defer { close(probe) }
            // Refused: nobody listens. Anything else, a full backlog too, is somebody.
            guard address.call(connect, probe) == ECONNREFUSED else { throw .alreadyRunning(path: path) }
            unlink(path)
            code = address.call(Glibc.bind, descriptor)
        }
        guard code == 0 else { throw .file("make the socket", path: path, errno: code) }
    }
}
