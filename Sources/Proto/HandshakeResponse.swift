/// A responder's result of a handshake.
@frozen
public struct HandshakeResponse: ~Copyable, Sendable {
    /// The length of the response datagram in bytes.
    public let length: Int
    /// The session's keys. Use them for sending only after a datagram of the initiator has been opened with
    /// them: until then the init may have been a replay.
    public let keys: TransportKeys
}
