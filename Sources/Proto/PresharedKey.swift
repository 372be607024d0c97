/// A key that both ends have from elsewhere, mixed into the handshake so that breaking X25519 alone is not enough.
public struct PresharedKey: Equatable, Sendable, CustomStringConvertible {
    let storage: Bytes32

    /// No preshared key: 32 zeros, as WireGuard has it.
    public static let none = PresharedKey(Bytes32())

    /// The key of these 32 bytes.
    /// - Precondition: `bytes` holds 32.
    public init(bytes: [UInt8]) { storage = bytes.withUnsafeBytes { Bytes32($0) } }

    /// The key that `base64` is, 44 characters with padding; nil when it is anything else.
    public init?(base64: String) {
        guard let storage = Bytes32(base64: base64) else { return nil }
        self.storage = storage
    }

    init(_ storage: Bytes32) { self.storage = storage }

    /// A new key.
    public static func generate(_ entropy: inout Entropy) -> PresharedKey {
        PresharedKey(.random(&entropy))
    }

    /// The secret in standard base64, 44 characters, for a file that only its owner reads.
    public var base64: String { storage.base64 }

    /// Never the secret.
    public var description: String { "a preshared key" }
}
