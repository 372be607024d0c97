/// An X25519 public key (RFC 7748), which identifies a peer.
public struct PublicKey: Hashable, Sendable, CustomStringConvertible {
    let storage: Bytes32

    /// A key from 32 bytes.
    /// - Precondition: `bytes` holds 32.
    public init(bytes: [UInt8]) { storage = bytes.withUnsafeBytes { Bytes32($0) } }

    /// Decodes `base64`, 44 characters with padding; nil if it is malformed.
    public init?(base64: String) {
        guard let storage = Bytes32(base64: base64) else { return nil }
        self.storage = storage
    }

    init(_ bytes: UnsafeRawBufferPointer) { storage = Bytes32(bytes) }

    /// The key in standard base64, 44 characters.
    public var base64: String { storage.base64 }

    /// The key's 32 bytes.
    public var bytes: [UInt8] { storage.withUnsafeBytes { [UInt8]($0) } }

    /// The key in base64.
    public var description: String { base64 }
}
