import Glibc

/// Operations on the state's files in addition to SQLite's own.
enum StateFiles {
    /// Creates a new file (0600), and fails if it exists.
    /// - Parameter directory: the directory whose owner gets the file, if root creates it; nil means root keeps
    ///   it.
    static func create(_ path: String, asOwnerOf directory: String? = nil) throws(ControlError) {
        let file = try make(path, asOwnerOf: directory)
        close(file)
    }

    private static func make(
        _ path: String, asOwnerOf directory: String? = nil
    ) throws(ControlError) -> Int32 {
        let file = Glibc.open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard file >= 0 else {
            if errno == EEXIST {
                throw .refused("\(path) exists and is not overwritten; move it away or name another")
            }
            throw .file("make", path: path, errno: errno)
        }
        fchmod(file, 0o600)
        if let directory { giveToOwner(file, of: directory) }
        return file
    }

    /// Switches to the user that owns the directory if this is root and that is not: the contents are under
    /// that user's control, including symbolic links. `becomeRoot` switches back.
    static func becomeOwner(of directory: String) {
        var facts = stat()
        guard geteuid() == 0, stat(directory, &facts) == 0, facts.st_uid != 0 else { return }
        _ = setgroups(0, nil)
        _ = setegid(facts.st_gid)
        _ = seteuid(facts.st_uid)
    }

    /// Undoes `becomeOwner`.
    static func becomeRoot() {
        guard getuid() == 0 else { return }
        _ = seteuid(0)
        _ = setegid(0)
    }

    /// Gives an open file to the user that owns the directory, so that root's actions do not lock bondd-control
    /// out. Uses the descriptor, because the directory's owner may have replaced the file in the meantime.
    static func giveToOwner(_ file: Int32, of directory: String) {
        var facts = stat()
        guard geteuid() == 0, stat(directory, &facts) == 0, facts.st_uid != 0 else { return }
        _ = fchown(file, facts.st_uid, facts.st_gid)
    }

    /// Copies a file into a new one (0600), and returns once it is on disk.
    /// - Parameter follows: whether the source may be a symbolic link.
    static func copy(
        _ source: String, to target: String, follows: Bool = true, asOwnerOf directory: String? = nil
    ) throws(ControlError) {
        let input = Glibc.open(source, O_RDONLY | O_CLOEXEC | (follows ? 0 : O_NOFOLLOW))
        guard input >= 0 else { throw .file("read", path: source, errno: errno) }
        defer { close(input) }
        let output = try make(target, asOwnerOf: directory)
        defer { close(output) }
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = read(input, &chunk, chunk.count)
            if count == 0 && fsync(output) == 0 { return }
            guard count > 0, write(output, chunk, count) == count else {
                let code = errno == 0 ? ENOSPC : errno
                unlink(target)
                throw .file("copy \(source) to", path: target, errno: code)
            }
        }
    }

    /// Flushes a file or directory to disk.
    static func sync(_ path: String) {
        let file = Glibc.open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return }
        fsync(file)
        close(file)
    }
}
