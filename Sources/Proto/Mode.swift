import Packet

/// How a session spreads its packets over its paths. The raw value is the byte on the wire.
public enum Mode: UInt8, Keyword, Sendable {
    /// `stripe`, with copies of small interactive packets, and repair symbols.
    case auto = 0
    /// Each packet on the path where it arrives first.
    case stripe = 1
    /// The best path; the next one when it is full.
    case preferred = 2
    /// Every packet on every path, or on the best few.
    case redundant = 3
    /// `auto`, and bulk flows use paths that are far away as well.
    case throughput = 4

    /// The word in the configuration and in `status`.
    public var word: String {
        switch self {
        case .auto: "auto"
        case .stripe: "stripe"
        case .preferred: "preferred"
        case .redundant: "redundant"
        case .throughput: "throughput"
        }
    }
}

/// When a path carries data. The raw value is the byte on the wire.
public enum PathRole: UInt8, Keyword, Sendable {
    /// Whenever it is up.
    case primary = 0
    /// When no primary path is up.
    case backup = 1
    /// When neither a primary nor a backup path is up, because its bytes cost money.
    case metered = 2
    /// Never; it is kept ready all the same.
    case never = 3

    /// The word in the configuration and in `status`.
    public var word: String {
        switch self {
        case .primary: "primary"
        case .backup: "backup"
        case .metered: "metered"
        case .never: "never"
        }
    }
}
