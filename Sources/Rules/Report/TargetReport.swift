/// Health and traffic of a rule's target.
public struct TargetReport: Hashable, Sendable {
    /// The target.
    public var target: RuleTarget
    /// Whether the target is considered healthy, so that connections try it first.
    public var isHealthy: Bool
    /// The number of failures since the last success.
    public var consecutiveFailures: UInt32
    /// When it last failed, as Unix time in milliseconds; 0 if never.
    public var lastFailure: UInt64
    /// When it last worked, as Unix time in milliseconds; 0 if never.
    public var lastSuccess: UInt64
    /// Bytes from end users to it.
    public var bytesIn: UInt64
    /// Bytes from it to end users.
    public var bytesOut: UInt64
    /// Connections that it accepted.
    public var accepted: UInt64

    /// The report of a target without traffic.
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
