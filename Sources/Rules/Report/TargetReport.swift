/// How a target of a rule is doing.
public struct TargetReport: Hashable, Sendable {
    /// Which.
    public var target: RuleTarget
    /// Whether connections try it first.
    public var isHealthy: Bool
    /// Failures without a success since.
    public var consecutiveFailures: UInt32
    /// When it last failed, in milliseconds since 1970; 0: never.
    public var lastFailure: UInt64
    /// When it last worked, likewise.
    public var lastSuccess: UInt64
    /// Bytes from end users to it.
    public var bytesIn: UInt64
    /// Bytes back.
    public var bytesOut: UInt64
    /// Connections that it took.
    public var accepted: UInt64

    /// The report of a target that carried nothing.
    public init(target: RuleTarget) {
        self.target = target
        isHealthy = true
        consecutiveFailures = 0
        lastFailure = 0
        lastSuccess = 0
        bytesIn = 0
        bytesOut = 0
        accepted = 0
    }
}
