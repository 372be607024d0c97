/// What became of an ENROL. The raw value is the byte on the wire; one that is not known counts as `unavailable`.
public enum EnrolOutcome: UInt8, CaseIterable, Sendable {
    /// The server has stored the client.
    case stored = 0
    /// The invitation has been used as often as it may.
    case used = 1
    /// The invitation's time is over.
    case expired = 2
    /// The invitation was taken back.
    case revoked = 3
    /// The tunnel's networks have no free address.
    case full = 4
    /// The server can't store it now.
    case unavailable = 5
}
