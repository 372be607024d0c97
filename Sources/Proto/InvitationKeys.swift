import Packet

/// The keys derived from a join link's secret: its holder connects as a separate peer, with a private key and a
/// PSK derived from the secret, and may then announce the key of a future client. So nothing of an enrolment is
/// ever sent in clear, and a server that does not know the secret learns nothing about it.
public struct InvitationKeys: ~Copyable, Sendable {
    /// The secret's length in bytes: 160 bits, the least that is safe, to keep links short.
    public static let secretSize = 20

    /// The identity of the link's holder during enrolment.
    public let privateKey: PrivateKey
    /// The preshared key mixed into the handshake by both ends.
    public let presharedKey: PresharedKey

    /// The keys of a link to the server with that key. Each is BLAKE2b (RFC 7693), keyed with the secret, of
    /// its purpose and the server's key.
    /// - Precondition: `secret` holds `secretSize` bytes.
    public init(secret: [UInt8], server: PublicKey) {
        precondition(secret.count == Self.secretSize, "an invitation's secret has 20 bytes")
        privateKey = PrivateKey(bytes: Self.derive("bondd invitation key", secret, server))
        presharedKey = PresharedKey(bytes: Self.derive("bondd invitation psk", secret, server))
    }

    /// Generates a new secret.
    public static func makeSecret(_ entropy: inout Entropy) -> [UInt8] {
        var secret = [UInt8](repeating: 0, count: secretSize)
        secret.withUnsafeMutableBytes { entropy.fill($0) }
        return secret
    }

    private static func derive(_ purpose: String, _ secret: [UInt8], _ server: PublicKey) -> [UInt8] {
        var key = [UInt8](repeating: 0, count: Wire.keySize)
        let label = Array(purpose.utf8)
        key.withUnsafeMutableBytes { key in
            secret.withUnsafeBytes { secret in
                label.withUnsafeBytes { label in
                    server.storage.withUnsafeBytes { Blake2b.hash(into: key, key: secret, label, $0) }
                }
            }
        }
        return key
    }
}
