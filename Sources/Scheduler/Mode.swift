/// How a session spreads its packets over its paths. The raw value is the wire's mode byte.
public enum Mode: UInt8, Sendable, CaseIterable {
    /// What suits most: `stripe`, and copies of what is small and slow.
    case auto = 0
    /// Each packet on the path where it arrives first.
    case stripe = 1
    /// The best path; the next one when it is full.
    case preferred = 2
    /// Every packet on every path, or on the best few.
    case redundant = 3
}
