import Packet

/// The outcome of an ENROL. The raw value is the byte on the wire; unknown ones count as `unavailable`.
public enum EnrolOutcome: UInt8, Keyword, Hashable, Sendable {
    /// The server has stored the client: it is on disk, and in the handover that bondd has.
    case stored = 0
    /// The invitation has no uses left.
    case used = 1
    /// The invitation has expired.
    case expired = 2
    /// The invitation has been revoked.
    case revoked = 3
    /// The tunnel's networks have no free address.
    case full = 4
    /// bondd-control is not running, or cannot store it now.
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
