/// A 16-byte BLAKE2b hash (RFC 7693), by which two programs compare whether they have the same text.
public struct Digest: Hashable, Sendable, CustomStringConvertible {
    private let bytes: [UInt8]

    /// The digest of `text`.
    public init(of text: [UInt8]) {
        var bytes = [UInt8](repeating: 0, count: 16)
        bytes.withUnsafeMutableBytes { out in
            text.withUnsafeBytes { Blake2b.hash(into: out, $0) }
        }
        self.bytes = bytes
    }

    /// 32 hexadecimal digits.
    public var description: String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
}
