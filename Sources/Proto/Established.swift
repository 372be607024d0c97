/// What an initiator has when its handshake is complete.
@frozen
public struct Established: ~Copyable, Sendable {
    /// The session's keys.
    public var keys: TransportKeys
    /// The responder's ID of the session, for the header of all that is sent.
    public let sessionID: UInt32
    /// What the responder said.
    public let payload: ResponsePayload
}
