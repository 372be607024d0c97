/// The kind of a datagram: the low nibble of the header's fourth byte.
public enum Kind: UInt8, Sendable {
    /// The first message of a handshake.
    case handshakeInit = 1
    /// The answer that completes the handshake.
    case handshakeResponse = 2
    /// "Prove that you receive at this address", from a responder under load.
    case cookie = 3
    /// A sealed inner packet.
    case data = 4
    /// Sealed frames.
    case control = 5
}
