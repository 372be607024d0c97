import Packet

/// The result of an ENROL. The raw value is the byte on the wire; one that is not known counts as `unavailable`.
public enum EnrolOutcome: UInt8, Keyword, Hashable, Sendable {
    /// The client is in the state, on the disk, and in the handover that bondd has.
    case stored = 0
    /// The invitation has been used as often as it may.
    case used = 1
    /// The invitation has expired.
    case expired = 2
    /// The invitation was revoked.
    case revoked = 3
    /// The tunnel's networks have no free address.
    case full = 4
    /// bondd-control is not running, or cannot store the client now.
    case unavailable = 5

    /// The word on bondd's control socket.
    public var word: String {
        switch self {
        case .stored: "stored"
        case .used: "used"
        case .expired: "expired"
        case .revoked: "revoked"
        case .full: "full"
        case .unavailable: "unavailable"
        }
    }
}
