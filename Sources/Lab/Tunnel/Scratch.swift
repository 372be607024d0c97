import FoundationEssentials
import Glibc

/// A directory for a test's or demo's files, removed when the value is destroyed.
public final class Scratch: Sendable {
    /// Its path, without a trailing slash.
    public let path: String

    /// Creates a directory that only its owner may enter, below TMPDIR or /tmp. Throws `system`.
    public init() throws(LabError) {
        let parent = ProcessInfo.processInfo.environment["TMPDIR"] ?? "/tmp"
        // Short, because a socket's path has at most 107 bytes.
        var template = Array("\(parent)/bondlab.XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw .system(call: "mkdtemp in \(parent)", errno: errno) }
        path = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    deinit { remove() }

    /// Removes it with everything in it. May be called again.
    public func remove() { try? FileManager.default.removeItem(atPath: path) }

    /// Writes a file and returns its path. Throws `system`.
    @discardableResult public func write(
        _ text: String, to name: String, mode: mode_t = 0o600
    ) throws(LabError) -> String {
        let file = "\(path)/\(name)"
        let fd = open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode)
        guard fd >= 0 else { throw .system(call: "opening \(file)", errno: errno) }
        defer { close(fd) }
        var text = text
        let written = text.withUTF8 { Glibc.write(fd, $0.baseAddress, $0.count) }
        guard written == text.utf8.count else { throw .system(call: "writing \(file)", errno: errno) }
        return file
    }
}
