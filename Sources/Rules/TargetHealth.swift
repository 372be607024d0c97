import Packet

/// Whether a target works, by what connections and probes say of it: three failures in a row within 30 s make it a failed one, two
/// successes in a row a healthy one again.
public struct TargetHealth: Hashable, Sendable {
    /// Whether connections try it first.
    public private(set) var isHealthy = true
    /// Failures without a success since.
    public private(set) var consecutiveFailures: UInt32 = 0
    /// When it last failed; nil: never.
    public private(set) var lastFailure: Instant?
    /// When it last worked; nil: never.
    public private(set) var lastSuccess: Instant?

    private var successes = 0
    /// The failures in a row before the last one, the later one first; nil: none.
    private var second: Instant?
    private var third: Instant?

    /// How close together failures have to be.
    public static let window = Interval.seconds(30)
    private static let successesToHeal = 2

    /// A target that nobody has tried.
    public init() {}

    /// It failed.
    public mutating func fail(at now: Instant) {
        successes = 0
        if consecutiveFailures < .max { consecutiveFailures += 1 }
        (third, second, lastFailure) = (second, consecutiveFailures > 1 ? lastFailure : nil, now)
        if let third, now - third <= Self.window { isHealthy = false }
    }

    /// It worked.
    public mutating func succeed(at now: Instant) {
        consecutiveFailures = 0
        (second, third) = (nil, nil)
        lastSuccess = now
        guard !isHealthy else { return }
        successes += 1
        if successes >= Self.successesToHeal {
            isHealthy = true
            successes = 0
        }
    }

    /// Gives a failed target another chance: one failure within 30 s is enough then.
    public mutating func forgive(at now: Instant) {
        guard !isHealthy else { return }
        isHealthy = true
        successes = 0
        second = now
    }
}
