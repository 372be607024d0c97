/// What seals data and control datagrams. Both ends have it in their configuration; it is bound by the handshake's
/// prologue, so there is nothing to negotiate and nothing to downgrade.
public enum CipherSuite: UInt8, Sendable {
    /// ChaCha20-Poly1305 (RFC 8439).
    case chacha20poly1305 = 1

    /// What both ends mix into the handshake before its first message.
    var prologue: [UInt8] { Self.prologue(suite: rawValue) }

    static func prologue(suite: UInt8) -> [UInt8] { Array("bondd 1 ".utf8) + [suite] }
}
