import Glibc

/// A lock held by the only bondd-control on a state. The kernel releases it when the process ends, for any reason.
package final class StateLock: Sendable {
    private let descriptor: Int32

    /// Locks the state in `directory`, which is created (0700) if missing. Root continues as the directory's
    /// owner from here, until `StateLock.becomeRoot`.
    /// - Parameter instead: advice for the error if another process holds the lock.
    /// - Throws: `running` or `unusable`.
    package init(directory: String, instead: String) throws(ControlError) {
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

    /// Continues as root, if root started the program.
    package static func becomeRoot() { StateFiles.becomeRoot() }

    /// Continues as the directory's owner again.
    package static func becomeOwner(of directory: String) { StateFiles.becomeOwner(of: directory) }

    deinit { close(descriptor) }

    private static func make(_ directory: String) throws(ControlError) {
        if let slash = directory.lastIndex(of: "/"), slash != directory.startIndex {
            mkdir(String(directory[..<slash]), 0o755)
        }
        if mkdir(directory, 0o700) == 0 { return }
        guard errno == EEXIST else {
            throw .unusable(path: directory, String(cString: strerror(errno)))
        }
        // An existing directory is left unchanged: it may be the wrong one.
        var facts = stat()
        guard lstat(directory, &facts) == 0, facts.st_mode & S_IFMT == S_IFDIR else {
            throw .unusable(path: directory, "it is not a directory")
        }
        guard facts.st_mode & 0o022 == 0 else {
            throw .unusable(
                path: directory,
                "other users may write to it; name the state's own directory with --state-dir")
        }
    }
}
