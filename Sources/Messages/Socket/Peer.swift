import CLinux
import Glibc

/// Who is at the other end of a Unix socket, as the kernel says (SO_PEERCRED in unix(7)).
public struct Peer: Hashable, Sendable {
    /// The user's number.
    public let user: UInt32
    /// The process's number.
    public let process: Int32

    /// A peer of that user.
    public init(user: UInt32, process: Int32 = 0) {
        self.user = user
        self.process = process
    }

    /// The peer of a connected socket; the one that nobody is (65534 by custom, all ones here) when the kernel does not say.
    init(of socket: Int32) {
        var (user, process) = (uid_t.max, pid_t(0))
        if clinux_peer(socket, &user, &process) < 0 { user = .max }
        self.init(user: user, process: process)
    }

    /// Whether it is root, or runs as the same user as this program.
    public var isPrivileged: Bool { user == 0 || user == geteuid() }

    /// Whether it may answer for a daemon on the socket at `path`: root, this program's user, or the owner of the directory that
    /// the socket is in, who decides what is there.
    func mayServe(_ path: String) -> Bool {
        if isPrivileged { return true }
        var facts = stat()
        let directory = path.lastIndex(of: "/").map { String(path[...$0]) } ?? "."
        return stat(directory, &facts) == 0 && facts.st_uid == user
    }
}
