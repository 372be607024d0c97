import CSodium
import Packet

/// A keyed BLAKE2b-128 of a handshake message, 16 bytes.
public struct Mac: Hashable, Sendable {
    private var words: (UInt64, UInt64) = (0, 0)

    /// The MAC of `message`, followed by `more`, under `key`.
    init(
        key: UnsafeRawBufferPointer, of message: UnsafeRawBufferPointer,
        _ more: UnsafeRawBufferPointer = Blake2b.empty
    ) {
        withUnsafeMutableBytes(of: &words) { Blake2b.hash(into: $0, key: key, message, more) }
    }

    /// Reads the 16 bytes at the beginning of `bytes`.
    init(_ bytes: UnsafeRawBufferPointer) {
        withUnsafeMutableBytes(of: &words) { $0.copyMemory(from: bytes.slice(0, Wire.macSize)) }
    }

    /// Whether it is all zeros, which means absent.
    var isZero: Bool { words.0 | words.1 == 0 }

    func withUnsafeBytes<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        Swift.withUnsafeBytes(of: words, body)
    }

    /// Compares in constant time.
    public static func == (a: Mac, b: Mac) -> Bool {
        a.withUnsafeBytes { a in
            b.withUnsafeBytes { b in sodium_memcmp(a.octets, b.octets, Wire.macSize) == 0 }
        }
    }

    /// Hashes the bytes.
    public func hash(into hasher: inout Hasher) { withUnsafeBytes { hasher.combine(bytes: $0) } }
}
