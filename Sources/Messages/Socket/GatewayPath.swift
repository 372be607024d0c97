import Glibc

/// Where bondd-control answers. Its socket lies in a directory of its own, `control`, next to bondd's: the user that it runs as may
/// write there and nowhere else, so that it can't take the place of bondd's socket. `control.sock` next to bondd's leads to it.
public enum GatewayPath {
    /// Where the bondd-control that belongs to the bondd on `socket` listens: `control/control.sock` for `bondd.sock`, else a name
    /// like that of bondd's socket, as several may share the directory.
    public static func own(of socket: String) -> String {
        let name = name(of: socket)
        return directory(of: socket) + "control/" + (name == "bondd.sock" ? "control.sock" : name)
    }

    /// The name by which it is known next to bondd's socket. Nil where several instances share the directory and this is not
    /// the first of them.
    public static func alias(of socket: String) -> String? {
        let directory = directory(of: socket)
        if directory == "/run/bondd/" && name(of: socket) != "bondd.sock" { return nil }
        return directory + "control.sock"
    }

    /// Where to ask it: at its own socket, or under the other name where an earlier version may run.
    public static func asked(of socket: String) -> String {
        let own = own(of: socket)
        if let alias = alias(of: socket), access(String(own[..<own.lastIndex(of: "/")!]), F_OK) != 0 {
            return alias
        }
        return own
    }

    /// Makes the alias, if that can be, in place of a socket on which nobody answers.
    public static func makeAlias(of socket: String) {
        guard let alias = alias(of: socket) else { return }
        let own = own(of: socket)
        let target = String(own.dropFirst(directory(of: socket).utf8.count))
        if symlink(target, alias) == 0 || errno != EEXIST { return }
        var facts = stat()
        guard lstat(alias, &facts) == 0 else { return }
        switch facts.st_mode & S_IFMT {
        case S_IFLNK:
            // Of this instance or of another that runs.
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
