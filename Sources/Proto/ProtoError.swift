/// Why a handshake message was refused. All but `noRoom` are caused by the peer.
public enum ProtoError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The datagram is not a handshake message of the expected kind and length.
    case notThisMessage
    /// MAC1 is wrong: the sender does not know this end's static public key.
    case wrongMac
    /// A part of the Noise message failed authentication.
    case notAuthentic
    /// A Diffie-Hellman result was zero: the peer sent a public key of small order.
    case weakKey
    /// The session ID in clear differs from the one inside the sealed payload.
    case alteredSession
    /// The response is for another session ID than this init's.
    case anotherSession
    /// The buffer for a message is too small.
    case noRoom

    /// What happened and what to do.
    public var description: String {
        switch self {
        case .notThisMessage:
            "The datagram is not the expected handshake message by its kind or length; drop it."
        case .wrongMac:
            "The handshake message's MAC1 is wrong; check that the peer has this end's public key."
        case .notAuthentic:
            "The handshake message did not open; check the static keys, preshared key and cipher suite on both ends."
        case .weakKey:
            "The peer's handshake key is of small order and gives no shared secret; drop the message."
        case .alteredSession:
            "The handshake message's session ID was altered on its way; drop it and wait for the next."
        case .anotherSession:
            "The handshake response is for another session ID than this init's; drop it."
        case .noRoom:
            "The buffer for the handshake message is too small; give it Wire.initSize bytes."
        }
    }
}
