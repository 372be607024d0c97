import Glibc

/// What is done to the state's files beside what SQLite does.
enum StateFiles {
    /// Makes a new file (0600) that nobody else has made.
    /// - Parameter directory: whose owner is to have it, when root makes it; nil: root.
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

    /// Goes on as the user that the directory belongs to, when that is not root and this is: what lies there is that user's
    /// to choose, links included. `becomeRoot` goes back.
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

    /// Gives a file that is open to the user that the directory belongs to, so that what root did does not lock bondd-control out.
    /// By its descriptor: the directory's owner may have put another in its place meanwhile.
    static func giveToOwner(_ file: Int32, of directory: String) {
        var facts = stat()
        guard geteuid() == 0, stat(directory, &facts) == 0, facts.st_uid != 0 else { return }
        _ = fchown(file, facts.st_uid, facts.st_gid)
    }

    /// Copies a file into a new one (0600), and returns when it is on the disk.
    /// - Parameter follows: whether the source may be a link.
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

    /// Returns when a file or directory is on the disk.
    static func sync(_ path: String) {
        let file = Glibc.open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return }
        fsync(file)
        close(file)
    }
}
