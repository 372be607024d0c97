/// Why a responder that has read an init does not answer it with a session. Only the responder can send it: the
/// datagram's MAC needs one of the two static keys. The raw value is the header's flags.
public enum Refusal: UInt8, CaseIterable, Sendable {
    /// It does not have the generation of preshared keys that the init names, no longer or not yet.
    case secret = 12
    /// It does not know the initiator's key (any more).
    case unknownKey = 13
    /// It uses another cipher suite.
    case suite = 14

    /// The label from which the MAC's key is derived.
    var label: StaticString {
        switch self {
        case .secret: "bondd preshared key"
        case .unknownKey: "bondd unknown key"
        case .suite: "bondd cipher suite"
        }
    }
}
