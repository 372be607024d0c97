import Glibc

/// A file with one 32-byte secret key in base64 and a newline, readable only by its owner.
package struct KeyFile: Equatable, Sendable, CustomStringConvertible, CustomReflectable {
    /// The length of a key in bytes.
    package static let keyLength = 32

    /// The file's path.
    package let path: String
    /// The 32 bytes of the key; empty if the configuration was read without keys. Secret.
    package let key: [UInt8]

    /// Reads the key in `path`.
    /// - Throws: `file`, `keyFileOpen` if group or others may read it, or `notAKey`.
    package init(reading path: String) throws(SettingsError) {
        let file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard file >= 0 else { throw .file("read the key file", path: path, errno: errno) }
        defer { close(file) }
        var facts = stat()
        guard fstat(file, &facts) == 0 else {
            throw .file("read the key file", path: path, errno: errno)
        }
        guard facts.st_mode & S_IFMT == S_IFREG else { throw .notAKey(path: path) }
        guard facts.st_mode & 0o077 == 0 else { throw .keyFileOpen(path: path) }
        var bytes = [UInt8](repeating: 0, count: 256)
        let count = read(file, &bytes, bytes.count)
        guard count >= 0 else { throw .file("read the key file", path: path, errno: errno) }
        var text = bytes.prefix(count)
        while let last = text.last, last == 10 || last == 13 || last == 32 { text.removeLast() }
        guard let key = Base64.decode(String(decoding: text, as: UTF8.self)), key.count == Self.keyLength
        else { throw .notAKey(path: path) }
        self.path = path
        self.key = key
    }

    /// Names the file at `path` without reading its key, for programs that may not read it.
    init(unread path: String) {
        self.path = path
        key = []
    }

    /// Creates `path` (0600) with `key` in it, and returns once it is on disk.
    /// - Precondition: `key` has 32 bytes.
    /// - Throws: `keyFileExists` or `file`; a partly written file is removed first.
    package init(creating path: String, key: [UInt8]) throws(SettingsError) {
        precondition(key.count == Self.keyLength)
        // Whole or not at all: a partly written key would block every later attempt.
        let new = "\(path).new"
        unlink(new)
        let file = open(new, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard file >= 0 else { throw .file("create the key file", path: path, errno: errno) }
        defer {
            close(file)
            unlink(new)
        }
        let text = Array((Base64.encode(key) + "\n").utf8)
        errno = 0
        // Set the mode again, as the umask may have removed too much; then write durably.
        guard fchmod(file, 0o600) == 0, write(file, text, text.count) == text.count, fsync(file) == 0 else {
            throw .file("write the key file", path: path, errno: errno == 0 ? ENOSPC : errno)
        }
        guard link(new, path) == 0 else {
            let code = errno
            if code == EEXIST { throw .keyFileExists(path: path) }
            throw .file("create the key file", path: path, errno: code)
        }
        let directory = open(path.lastIndex(of: "/").map { String(path[...$0]) } ?? ".", O_RDONLY | O_CLOEXEC)
        if directory >= 0 {
            fsync(directory)
            close(directory)
        }
        self.path = path
        self.key = key
    }

    /// The path, never the key.
    package var description: String { "key file \(path)" }

    /// Shows only the path, so that dumping a configuration never reveals a key.
    package var customMirror: Mirror { Mirror(self, children: ["path": path]) }
}
