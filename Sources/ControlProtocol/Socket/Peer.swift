import CLinux
import Glibc

/// The process at the other end of a Unix socket, as the kernel reports it (SO_PEERCRED in unix(7)).
package struct Peer: Hashable, Sendable {
    /// The process's user ID.
    package let user: UInt32
    /// The process ID.
    package let process: Int32

    /// A peer with this user ID.
    package init(user: UInt32, process: Int32 = 0) {
        self.user = user
        self.process = process
    }

    /// The peer of a connected socket. The user ID is all ones, which no process has, if the kernel reports none.
    init(of socket: Int32) {
        var (user, process) = (uid_t.max, pid_t(0))
        if clinux_peer(socket, &user, &process) < 0 { user = .max }
        self.init(user: user, process: process)
    }

    /// Whether it is root, or runs as the same user as this program.
    package var isPrivileged: Bool { user == 0 || user == geteuid() }

    /// Whether a daemon run by this user is genuine on the socket at `path`: root, this program's user, or the owner of the
    /// directory, who controls its contents anyway.
    func mayServe(_ path: String) -> Bool {
        if isPrivileged { return true }
        var facts = stat()
        let directory = path.lastIndex(of: "/").map { String(path[...$0]) } ?? "."
        return stat(directory, &facts) == 0 && facts.st_uid == user
    }
}
