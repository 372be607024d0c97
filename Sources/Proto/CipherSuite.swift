import Packet

/// The cipher of data and control datagrams. Both ends configure it, and the handshake's prologue binds it, so
/// there is no negotiation to downgrade.
public enum CipherSuite: UInt8, Keyword, Sendable, CustomStringConvertible {
    /// ChaCha20-Poly1305 (RFC 8439).
    case chacha20poly1305 = 1
    /// AES-256-GCM (NIST SP 800-38D).
    case aes256gcm = 2

    /// `word`
    public var description: String { word }

    /// The word in the configuration and in `status`.
    public var word: String {
        switch self {
        case .chacha20poly1305: "chacha20-poly1305"
        case .aes256gcm: "aes-256-gcm"
        }
    }

    /// Whether a library here supports it. The first call may take some milliseconds: see `BulkCipher`.
    public var isAvailable: Bool { BulkCipher.of(self) != nil }

    /// An initiator starts a new handshake when a path has carried this many datagrams in one direction under one key.
    ///
    /// Nonces never repeat, so the advice of 2³² messages for a key (SP 800-38D, section 8.3) does not apply:
    /// it is for random nonces. The limit of AES-GCM is that AES is a permutation: the attacker's advantage
    /// grows with the square of all blocks under a key. RFC 8446, section 5.5, stops at 2^24.5 records of 2¹⁰
    /// blocks, which leaves 2⁻⁵⁷. A datagram has up to 2⁷ blocks, so 16 paths of 2²³ datagrams, 2³⁴ blocks,
    /// stay below that; one path at 10 Gbit/s gets new keys every 9 s, at less than a millisecond each.
    /// ChaCha20 has no such bound; 2⁴⁰ keeps the packet number from running out.
    public var rekeyAfterPackets: UInt64 {
        switch self {
        case .chacha20poly1305: 1 << 40
        case .aes256gcm: 1 << 23
        }
    }

    /// The bytes that both ends mix into the handshake before its first message.
    var prologue: [UInt8] { Array("bondd 1 ".utf8) + [rawValue] }
}
