/// What became of an enrolment. The raw value is the word on the socket.
public enum EnrolmentOutcome: String, Hashable, Sendable, Codable, CaseIterable {
    /// The client is in the state, on the disk, and in the handover that bondd has.
    case stored
    /// The invitation has been used as often as it may.
    case used
    /// The invitation's time is over.
    case expired
    /// The invitation was taken back.
    case revoked
    /// The tunnel's networks have no free address.
    case full
    /// bondd-control does not run, or can't store it.
    case unavailable
}
