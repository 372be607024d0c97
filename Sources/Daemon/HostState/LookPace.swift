import Packet
import Runtime

/// How often something is looked at that may take long: with at most a hundredth of the thread's time. On
/// some hosts the ruleset is large and never rests.
struct LookPace {
    private static let shortest = Interval.milliseconds(500)

    /// When the next look may be.
    private(set) var next = Instant.zero

    /// Does `work` when it may be done.
    /// - Returns: whether it was done.
    mutating func look(now: Instant, _ work: () -> Void) -> Bool {
        guard now >= next else { return false }
        // The wall clock would count other programs' time on a busy host.
        let before = Clock.processorTime
        work()
        next = now + max(Self.shortest, Interval(nanoseconds: Int64(Clock.processorTime - before) * 100))
        return true
    }
}
