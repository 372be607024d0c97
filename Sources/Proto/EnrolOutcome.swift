/// The outcome of an ENROL. The raw value is the byte on the wire; unknown ones count as `unavailable`.
public enum EnrolOutcome: UInt8, CaseIterable, Sendable {
    /// The server has stored the client.
    case stored = 0
    /// The invitation has no uses left.
    case used = 1
    /// The invitation has expired.
    case expired = 2
    /// The invitation has been revoked.
    case revoked = 3
    /// The tunnel's networks have no free address.
    case full = 4
    /// The server cannot store it now.
    case unavailable = 5
}
