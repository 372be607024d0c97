import Glibc

/// Replaces files as a whole, so that a crash leaves either the old text or the new, never part of one.
package enum StateFile {
    /// Replaces the contents of `path` with `bytes`, and returns once they are on disk. Creates the directory
    /// (0755) if needed.
    /// - Parameter mode: the file's permissions, regardless of the umask.
    /// - Throws: `file`; the old contents are then kept.
    package static func replace(_ path: String, with bytes: [UInt8], mode: mode_t = 0o600)
        throws(RuntimeError)
    {
        let directory = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
        if !directory.isEmpty { mkdir(directory, 0o755) }
        // Not a name that a user's own file may have, such as resolv.conf.new: that file would be lost.
        let new = "\(path).bondd-new"
        unlink(new)
        let file = open(new, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode)
        guard file >= 0 else { throw .file("write", path: path, errno: errno) }
        errno = 0
        guard fchmod(file, mode) == 0, writeAll(file, bytes), fsync(file) == 0, rename(new, path) == 0 else {
            let code = errno == 0 ? ENOSPC : errno
            close(file)
            unlink(new)
            throw .file("write", path: path, errno: code)
        }
        close(file)
        let parent = open(directory.isEmpty ? "/" : directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        if parent >= 0 {
            fsync(parent)
            close(parent)
        }
    }

    private static func writeAll(_ file: Int32, _ bytes: [UInt8]) -> Bool {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { write(file, $0.baseAddress, $0.count) }
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { return false }
            rest = rest.dropFirst(count)
        }
        return true
    }
}
