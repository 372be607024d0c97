/// Why a responder that has read an init does not answer it with a session. Only the responder can say so: the datagram's MAC
/// needs one of the two static keys. The raw value is the header's flags.
public enum Refusal: UInt8, CaseIterable, Sendable {
    /// It does not have the generation of preshared keys any more, or not yet, that the init names.
    case secret = 12
    /// It does not know the initiator's key (any more).
    case unknownKey = 13
    /// It uses another cipher suite.
    case suite = 14

    /// What the MAC's key is derived for.
    var label: StaticString {
        switch self {
        case .secret: "bondd preshared key"
        case .unknownKey: "bondd unknown key"
        case .suite: "bondd cipher suite"
        }
    }
}
