/// What a path is for. The raw value is the wire's role byte.
public enum PathRole: UInt8, Sendable, CaseIterable {
    /// Used whenever it is up.
    case primary = 0
    /// Used when no primary path is up.
    case backup = 1
    /// Used when neither a primary nor a backup path is up, as its bytes cost money.
    case metered = 2
    /// Never used.
    case never = 3
}
