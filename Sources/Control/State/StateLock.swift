import Glibc

/// Whoever has it is the only bondd-control on a state. The kernel takes it back when the process ends, however it ends.
public final class StateLock: Sendable {
    private let descriptor: Int32

    /// Locks the state in `directory`, which is made (0700) when it is missing. Root goes on as the directory's owner from here,
    /// until `StateLock.becomeRoot`.
    /// - Parameter instead: what to do when another has it, for the error.
    /// - Throws: `running` or `unusable`.
    public init(directory: String, instead: String) throws(ControlError) {
        try Self.make(directory)
        let path = directory + "/lock"
        descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else {
            throw .unusable(path: path, String(cString: strerror(errno)))
        }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let code = errno
            close(descriptor)
            if code == EWOULDBLOCK { throw .running(directory: directory, instead) }
            throw .unusable(path: path, String(cString: strerror(code)))
        }
        StateFiles.giveToOwner(descriptor, of: directory)
        StateFiles.becomeOwner(of: directory)
    }

    /// Goes on as root, if that is who started the program.
    public static func becomeRoot() { StateFiles.becomeRoot() }

    /// Goes on as the directory's owner again.
    public static func becomeOwner(of directory: String) { StateFiles.becomeOwner(of: directory) }

    deinit { close(descriptor) }

    private static func make(_ directory: String) throws(ControlError) {
        if let slash = directory.lastIndex(of: "/"), slash != directory.startIndex {
            mkdir(String(directory[..<slash]), 0o755)
        }
        if mkdir(directory, 0o700) == 0 { return }
        guard errno == EEXIST else {
            throw .unusable(path: directory, String(cString: strerror(errno)))
        }
        // One that is there is left as it is: it may be the wrong one.
        var facts = stat()
        guard lstat(directory, &facts) == 0, facts.st_mode & S_IFMT == S_IFDIR else {
            throw .unusable(path: directory, "it is no directory")
        }
        guard facts.st_mode & 0o022 == 0 else {
            throw .unusable(path: directory, "others may write in it; name the state's own with --state-dir")
        }
    }
}
