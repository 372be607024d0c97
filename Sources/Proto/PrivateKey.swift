import CSodium
import Packet

/// An X25519 private key (RFC 7748). Its memory is overwritten when it is destroyed; it has no description.
public struct PrivateKey: ~Copyable, Sendable {
    /// The corresponding public key, which peers may know.
    public let publicKey: PublicKey

    private let secret: SecretBytes

    /// A key from 32 bytes, clamped.
    /// - Precondition: `bytes` holds 32.
    public init(bytes: [UInt8]) {
        let secret = SecretBytes(count: Wire.keySize)
        bytes.withUnsafeBytes { secret.bytes.copyMemory(from: $0.slice(0, Wire.keySize)) }
        precondition(bytes.count == Wire.keySize, "a key has 32 bytes")
        self.init(secret)
    }

    /// Decodes `base64`, 44 characters with padding; nil if it is malformed.
    public init?(base64: String) {
        guard let storage = Bytes32(base64: base64) else { return nil }
        let secret = SecretBytes(count: Wire.keySize)
        storage.withUnsafeBytes { secret.bytes.copyMemory(from: $0) }
        self.init(secret)
    }

    private init(_ secret: consuming SecretBytes) {
        // Clamped (RFC 7748, section 5), so that a key's text equals that printed by other tools.
        let scalar = secret.bytes
        scalar[0] &= 248
        scalar[31] = scalar[31] & 127 | 64
        var publicBytes = Bytes32()
        publicBytes.withUnsafeMutableBytes { out in
            // Cannot fail for a clamped scalar: none is a multiple of the base point's order.
            _ = crypto_scalarmult_curve25519_base(out.octets, secret.bytes.octets)
        }
        publicKey = publicBytes.withUnsafeBytes { PublicKey($0) }
        self.secret = secret
    }

    private init(_ secret: consuming SecretBytes, publicKey: PublicKey) {
        self.secret = secret
        self.publicKey = publicKey
    }

    /// Generates a new key.
    public static func generate(_ entropy: inout Entropy) -> PrivateKey {
        let secret = SecretBytes(count: Wire.keySize)
        entropy.fill(secret.bytes)
        return PrivateKey(secret)
    }

    /// A second key with the same bytes and a lifetime of its own.
    public func copy() -> PrivateKey { PrivateKey(secret.copy(), publicKey: publicKey) }

    /// The secret in standard base64, 44 characters, for a file that only its owner reads.
    public var base64: String { Bytes32(UnsafeRawBufferPointer(secret.bytes)).base64 }

    /// Writes the 32-byte shared secret with `peer` to `out`.
    /// - Throws: `weakKey` if it is all zeros, the result of a key of small order (RFC 7748, section 6.1).
    func agree(with peer: PublicKey, into out: UnsafeMutableRawBufferPointer) throws(ProtoError) {
        precondition(out.count >= Wire.keySize)
        let result = peer.storage.withUnsafeBytes { peer in
            crypto_scalarmult_curve25519(out.octets, secret.bytes.octets, peer.octets)
        }
        guard result == 0 else { throw .weakKey }
    }
}
