import Glibc
import Runtime
import Settings

/// What requests must bring (RFC 6750 section 2.1) where they may come from elsewhere.
public struct Token: Sendable, CustomStringConvertible, CustomReflectable {
    /// A token's length in characters; 16 of base64 are 96 bits.
    static let lengths = 16...512

    private let bytes: [UInt8]

    /// Reads the token in a file that others than owner and group may not read.
    /// - Throws: `refused`.
    public init(reading path: String) throws(ControlError) {
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

    /// Whether an Authorization header has it. How long that takes says nothing of where they differ.
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

    /// Never the token.
    public var description: String { "a token" }
    /// Never the token.
    public var customMirror: Mirror { Mirror(self, children: EmptyCollection()) }
}
