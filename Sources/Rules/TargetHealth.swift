import Packet

/// Whether a target works, judged by connections and probes: three consecutive failures within 30 s mark it as
/// failed, two consecutive successes as healthy again.
package struct TargetHealth: Hashable, Sendable {
    /// Whether the target is considered healthy, so that connections try it first.
    package private(set) var isHealthy = true
    /// The number of failures since the last success.
    package private(set) var consecutiveFailures: UInt32 = 0
    /// When it last failed; nil if never.
    package private(set) var lastFailure: Instant?
    /// When it last worked; nil if never.
    package private(set) var lastSuccess: Instant?

    private var successes = 0
    /// The consecutive failures before the last one, the later one first; nil if none.
    private var second: Instant?
    private var third: Instant?

    /// Time within which consecutive failures have to occur.
    package static let window = Interval.seconds(30)
    private static let successesToHeal = 2

    /// An untried target.
    package init() {}

    /// Records a failure.
    package mutating func fail(at now: Instant) {
        successes = 0
        if consecutiveFailures < .max { consecutiveFailures += 1 }
        (third, second, lastFailure) = (second, consecutiveFailures > 1 ? lastFailure : nil, now)
        if let third, now - third <= Self.window { isHealthy = false }
    }

    /// Records a success.
    package mutating func succeed(at now: Instant) {
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

    /// Gives a failed target another chance: a single failure within 30 s then suffices to mark it again.
    package mutating func forgive(at now: Instant) {
        guard !isHealthy else { return }
        isHealthy = true
        successes = 0
        second = now
    }
}
