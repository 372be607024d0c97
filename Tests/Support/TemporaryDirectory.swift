import Glibc

/// A directory that is removed, with the files in it, when the value is destroyed.
public final class TemporaryDirectory {
    /// The path.
    public let path: String

    /// Creates a directory below /tmp.
    public init() {
        var template = Array("/tmp/bondd-test-XXXXXX".utf8CString)
        precondition(mkdtemp(&template) != nil)
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    deinit { Self.remove(path, depth: 3) }

    private static func remove(_ path: String, depth: Int) {
        if let list = opendir(path) {
            while let entry = readdir(list) {
                let name = withUnsafePointer(to: &entry.pointee.d_name) {
                    $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
                }
                if name == "." || name == ".." || unlink(path + "/" + name) == 0 { continue }
                if depth > 0 { remove(path + "/" + name, depth: depth - 1) }
            }
            closedir(list)
        }
        rmdir(path)
    }

    /// Writes `text` to a file in it.
    public func file(_ name: String, _ text: String, mode: mode_t = 0o600) {
        let file = open(path + "/" + name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode)
        precondition(
            file >= 0 && write(file, text, text.utf8.count) == text.utf8.count && fchmod(file, mode) == 0)
        close(file)
    }

    /// The permissions of a file in it; 0 if there is none.
    public func mode(of name: String) -> mode_t {
        var facts = stat()
        return stat(path + "/" + name, &facts) == 0 ? facts.st_mode & 0o777 : 0
    }
}
