/// A transport protocol that has ports. The raw value is its number in IP (IANA, Assigned Internet Protocol Numbers).
public enum TransportProtocol: UInt8, Keyword, Hashable, Sendable {
    /// RFC 9293.
    case tcp = 6
    /// RFC 768.
    case udp = 17

    /// The word in the configuration, in JSON, and in labels.
    public var word: String {
        switch self {
        case .tcp: "tcp"
        case .udp: "udp"
        }
    }
}
