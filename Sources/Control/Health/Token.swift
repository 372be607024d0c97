import Glibc
import Runtime
import Settings

/// The bearer token of requests (RFC 6750 section 2.1), required where they may come from other hosts.
package struct Token: Sendable, CustomStringConvertible, CustomReflectable {
    /// Permitted lengths in characters; 16 of base64 are 96 bits.
    static let lengths = 16...512

    private let bytes: [UInt8]

    /// Reads the token from a file that only its owner and group may read.
    /// - Throws: `refused`.
    package init(reading path: String) throws(ControlError) {
        var facts = stat()
        guard stat(path, &facts) == 0 else { throw .file("read the token in", path: path, errno: errno) }
        guard facts.st_mode & 0o007 == 0 else {
            throw .refused("the token in \(path) can be read by others; run: chmod o= \(path)")
        }
        let text: String
        do {
            text = try TextFile.read(path, limit: 4096)
        } catch {
            throw .refused("the token file \(path) \(error.sentence)")
        }
        let token = text.drop { $0.isWhitespace }.prefix { !$0.isWhitespace }
        let rest = text.drop { $0.isWhitespace }.dropFirst(token.count)
        guard Self.lengths.contains(token.utf8.count), token.utf8.allSatisfy({ (33...126).contains($0) }),
            rest.allSatisfy(\.isWhitespace)
        else {
            throw .refused(
                "\(path) holds no token; it is one line of 16 to 512 letters and digits, such as: head -c 24 /dev/urandom | base64 > \(path)"
            )
        }
        bytes = Array(token.utf8)
    }

    /// Whether an Authorization header contains the token, compared in constant time.
    func matches(_ header: String?) -> Bool {
        guard let header, header.utf8.count <= 2 * Self.lengths.upperBound else { return false }
        let scheme = "bearer "
        guard header.prefix(scheme.count).lowercased() == scheme else { return false }
        let given = Array(header.dropFirst(scheme.count).utf8)
        var difference = given.count ^ bytes.count
        for index in 0..<bytes.count {
            difference |= Int(bytes[index] ^ (index < given.count ? given[index] : 0))
        }
        return difference == 0
    }

    /// A fixed text, so that the token never reaches a log.
    package var description: String { "a token" }
    /// Empty, so that a dump never shows the token.
    package var customMirror: Mirror { Mirror(self, children: EmptyCollection()) }
}
