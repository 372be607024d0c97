import Glibc

/// Reads small text files whole.
package enum TextFile {
    /// Why a file could not be read.
    package struct Failure: Error {
        /// The problem, worded to follow the file's path.
        package let sentence: String
        /// Whether the file does not exist.
        package var isMissing = false
    }

    /// Reads the file at `path`, which must be UTF-8 and at most `limit` bytes long.
    package static func read(_ path: String, limit: Int) throws(Failure) -> String {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { throw failure("cannot be read", errno) }
        defer { close(file) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 16384)
        while true {
            let count = Glibc.read(file, &chunk, chunk.count)
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else { throw failure("cannot be read", errno) }
            if count == 0 { break }
            bytes += chunk[..<count]
            if bytes.count > limit {
                throw Failure(sentence: "is longer than \(limit) bytes; is it the right file?")
            }
        }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw Failure(sentence: "is not UTF-8 text; is it the right file?")
        }
        return text
    }

    private static func failure(_ what: String, _ code: Int32) -> Failure {
        Failure(
            sentence: "\(what): \(String(cString: strerror(code)))\(remedy(code))", isMissing: code == ENOENT)
    }

    /// `; run this as root` if that may help.
    package static func remedy(_ code: Int32) -> String {
        (code == EACCES || code == EPERM) && geteuid() != 0 ? "; run this as root" : ""
    }
}
