/// An initiator's result of a completed handshake.
@frozen
public struct Established: ~Copyable, Sendable {
    /// The session's keys.
    public let keys: TransportKeys
    /// The responder's ID of the session, for the header of all datagrams to it.
    public let sessionID: UInt32
    /// The responder's payload.
    public let payload: ResponsePayload
}
