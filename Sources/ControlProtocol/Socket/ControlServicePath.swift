import Glibc

/// The paths of bondd-control's socket. The socket is in its own directory, `control`, next to bondd's socket.
/// bondd-control's user can write only to that directory, and so cannot replace bondd's socket. A symbolic
/// link, `control.sock`, points to it.
package enum ControlServicePath {
    /// The socket of the bondd-control that serves the bondd on `socket`: `control/control.sock` for `bondd.sock`, otherwise
    /// `control/` and the name of bondd's socket, because several instances may share the directory.
    package static func own(of socket: String) -> String {
        let name = name(of: socket)
        return directory(of: socket) + "control/" + (name == "bondd.sock" ? "control.sock" : name)
    }

    /// The link next to bondd's socket; nil for further instances in the default directory, which share it.
    package static func alias(of socket: String) -> String? {
        let directory = directory(of: socket)
        if directory == "/run/bondd/" && name(of: socket) != "bondd.sock" { return nil }
        return directory + "control.sock"
    }

    /// The path that commands connect to: the socket itself, or the link's path where an earlier version may have its socket.
    package static func asked(of socket: String) -> String {
        let own = own(of: socket)
        if let alias = alias(of: socket), access(String(own[..<own.lastIndex(of: "/")!]), F_OK) != 0 {
            return alias
        }
        return own
    }

    /// Makes the link if it can, replacing a socket without a listener.
    package static func makeAlias(of socket: String) {
        guard let alias = alias(of: socket) else { return }
        let own = own(of: socket)
        let target = String(own.dropFirst(directory(of: socket).utf8.count))
        if symlink(target, alias) == 0 || errno != EEXIST { return }
        var facts = stat()
        guard lstat(alias, &facts) == 0 else { return }
        switch facts.st_mode & S_IFMT {
        case S_IFLNK:
            // This instance's own link, or that of another running one.
            if access(alias, F_OK) == 0 { return }
        case S_IFSOCK:
            guard let address = try? UnixAddress(alias), let probe = try? UnixAddress.open(blocking: false)
            else { return }
            defer { close(probe) }
            guard address.call(connect, probe) == ECONNREFUSED else { return }
        default: return
        }
        unlink(alias)
        symlink(target, alias)
    }

    private static func directory(of socket: String) -> String {
        socket.lastIndex(of: "/").map { String(socket[...$0]) } ?? ""
    }

    private static func name(of socket: String) -> String {
        socket.lastIndex(of: "/").map { String(socket[socket.index(after: $0)...]) } ?? socket
    }
}
