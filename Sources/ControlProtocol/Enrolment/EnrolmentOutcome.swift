/// The outcome of an enrolment. The raw value is the word on the socket.
public enum EnrolmentOutcome: String, Hashable, Sendable, Codable, CaseIterable {
    /// The client is in the state on disk, and in bondd's handover.
    case stored
    /// The invitation has no uses left.
    case used
    /// The invitation has expired.
    case expired
    /// The invitation has been revoked.
    case revoked
    /// The tunnel's networks have no free address.
    case full
    /// bondd-control is not running, or cannot store it.
    case unavailable
}
