/// What a responder has when it has answered.
@frozen
public struct HandshakeResponse: ~Copyable, Sendable {
    /// The bytes of the response datagram.
    public let length: Int
    /// The session's keys. Send with them only after a datagram of the initiator opened with them: until then the
    /// init may have been a replay.
    public let keys: TransportKeys
}
