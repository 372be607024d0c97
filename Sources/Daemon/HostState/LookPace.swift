import Packet
import Runtime

/// When an examination that may take long is made: it uses at most a hundredth of the thread's time, because
/// some hosts have a large ruleset that changes all the time.
struct LookPace {
    private static let shortest = Interval.milliseconds(500)

    /// The earliest time of the next examination.
    private(set) var next = Instant.zero

    /// Does `work` if it is due.
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
