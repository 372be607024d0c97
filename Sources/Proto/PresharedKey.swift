/// A key shared by both ends in advance, mixed into the handshake so that breaking X25519 alone is not enough.
public struct PresharedKey: Equatable, Sendable, CustomStringConvertible {
    let storage: Bytes32

    /// No preshared key: 32 zeros, as in WireGuard.
    public static let none = PresharedKey(Bytes32())

    /// A key from 32 bytes.
    /// - Precondition: `bytes` holds 32.
    public init(bytes: [UInt8]) { storage = bytes.withUnsafeBytes { Bytes32($0) } }

    /// Decodes `base64`, 44 characters with padding; nil if it is malformed.
    public init?(base64: String) {
        guard let storage = Bytes32(base64: base64) else { return nil }
        self.storage = storage
    }

    init(_ storage: Bytes32) { self.storage = storage }

    /// Generates a new key.
    public static func generate(_ entropy: inout Entropy) -> PresharedKey {
        PresharedKey(.random(&entropy))
    }

    /// The secret in standard base64, 44 characters, for a file that only its owner reads.
    public var base64: String { storage.base64 }

    /// A fixed text, so that the secret never reaches a log.
    public var description: String { "a preshared key" }
}
