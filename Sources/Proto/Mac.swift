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

/// A key derived from a receiver's static public key, whose holder can make MAC1 and read cookies.
struct MacKey: Sendable {
    private var key = Bytes32()

    /// The key for MAC1 of messages to the owner of `key`.
    static func mac1(_ key: PublicKey) -> MacKey { MacKey("mac1----", key) }
    /// The key for cookies from the owner of `key`.
    static func cookie(_ key: PublicKey) -> MacKey { MacKey("cookie--", key) }

    private init(_ label: StaticString, _ publicKey: PublicKey) {
        let label = label.bytes
        publicKey.storage.withUnsafeBytes { publicKey in
            key.withUnsafeMutableBytes { Blake2b.hash(into: $0, label, publicKey) }
        }
    }

    func withUnsafeBytes<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        key.withUnsafeBytes(body)
    }

    /// The correct MAC1 of `message`, whose last 32 bytes are its MACs.
    func mac1(of message: UnsafeRawBufferPointer) -> Mac {
        key.withUnsafeBytes { Mac(key: $0, of: message.slice(0, message.count - 2 * Wire.macSize)) }
    }

    /// Whether the MAC1 of `message` is correct. Its length must be at least 32.
    func verifies(_ message: UnsafeRawBufferPointer) -> Bool {
        Mac(message.dropping(message.count - 2 * Wire.macSize)) == mac1(of: message)
    }

    /// Writes MAC1, and MAC2 if there is a cookie, to the last 32 bytes of `message`.
    /// - Returns: MAC1.
    func sign(_ message: UnsafeMutableRawBufferPointer, cookie: Cookie?) -> Mac {
        let mac1 = mac1(of: UnsafeRawBufferPointer(message))
        let covered = message.count - Wire.macSize
        mac1.withUnsafeBytes { message.slice(covered - Wire.macSize, Wire.macSize).copyMemory(from: $0) }
        let mac2 = message.slice(covered, Wire.macSize)
        mac2.initializeMemory(as: UInt8.self, repeating: 0)
        if let cookie {
            cookie.mac2(of: UnsafeRawBufferPointer(message)).withUnsafeBytes { mac2.copyMemory(from: $0) }
        }
        return mac1
    }
}
