import Glibc

/// The Unix socket in the file system that clients connect to, removed when the value is destroyed.
///
/// Its mode is 0600, or 0660 if a group may connect. Requests are also authorized by the peer's credentials.
struct ListeningSocket: ~Copyable {
    let fileDescriptor: Int32
    private let path: String
    private let device: dev_t
    private let inode: ino_t

    /// Creates the socket, and its directory (0755, or 0750 with a group) if it is missing. Replaces a socket
    /// without a listener, and anything that an unprivileged user has put there.
    init(path: String, group: gid_t? = Self.ownGroup) throws(SocketError) {
        let address = try UnixAddress(path)
        if let slash = path.lastIndex(of: "/"), slash != path.startIndex {
            try Self.prepare(String(path[..<slash]), group)
        }
        let descriptor = try UnixAddress.open(blocking: false)
        var facts = stat()
        do throws(SocketError) {
            // Before bind, so that the file never has wider permissions.
            guard fchmod(descriptor, group != nil ? 0o660 : 0o600) == 0 else {
                throw .file("protect", path: path, errno: errno)
            }
            // The kernel applies the umask, which must not remove the group's permissions.
            let mask = group != nil ? umask(0o117) : nil
            defer { if let mask { umask(mask) } }
            try Self.bind(descriptor, address)
            if let group, group != getegid() { lchown(path, uid_t.max, group) }
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

    /// The effective group if root was started with another than its own: the service manager's way to grant a
    /// group access.
    static var ownGroup: gid_t? { geteuid() == 0 && getegid() != 0 ? getegid() : nil }

    deinit {
        close(fileDescriptor)
        // Only this process's own: another may have been put in its place.
        var facts = stat()
        if stat(path, &facts) == 0, facts.st_dev == device, facts.st_ino == inode { unlink(path) }
    }

    /// Creates the directory, or removes group write permission from one created by an earlier version (1770).
    private static func prepare(_ directory: String, _ group: gid_t?) throws(SocketError) {
        if mkdir(directory, 0o755) == 0 {
            // Regardless of the umask.
            guard let group else { return }
            if group != getegid() { chown(directory, uid_t.max, group) }
            chmod(directory, 0o750)
            return
        }
        guard errno == EEXIST else { throw .file("make the directory", path: directory, errno: errno) }
        var facts = stat()
        if geteuid() == 0, lstat(directory, &facts) == 0, facts.st_uid == 0,
            facts.st_mode & 0o7777 == 0o1770
        {
            chmod(directory, 0o750)
        }
    }

    private static func bind(_ descriptor: Int32, _ address: UnixAddress) throws(SocketError) {
        var code = address.call(Glibc.bind, descriptor)
        if code == EADDRINUSE {
            try clear(address)
            code = address.call(Glibc.bind, descriptor)
        }
        guard code == 0 else { throw .file("make the socket", path: address.path, errno: code) }
    }

    /// Removes an obstructing file, unless it is a genuine daemon's socket or a file of a privileged user.
    private static func clear(_ address: UnixAddress) throws(SocketError) {
        let path = address.path
        var facts = stat()
        guard lstat(path, &facts) == 0 else { return }
        let isForeign = geteuid() == 0 && facts.st_uid != 0 && !Peer(user: facts.st_uid).mayServe(path)
        guard facts.st_mode & S_IFMT == S_IFSOCK else {
            guard isForeign else { throw .notASocket(path: path) }
            return remove(path)
        }
        let probe = try UnixAddress.open(blocking: false)
        defer { close(probe) }
        switch address.call(connect, probe) {
        // No listener.
        case ECONNREFUSED: break
        case 0: if Peer(of: probe).mayServe(path) { throw .alreadyRunning(path: path) }
        // A listener with a full backlog.
        default: if !isForeign { throw .alreadyRunning(path: path) }
        }
        remove(path)
    }

    private static func remove(_ path: String) {
        // A directory with files in it can only be moved aside.
        if unlink(path) != 0 && rmdir(path) != 0 { rename(path, path + ".foreign") }
    }
}
