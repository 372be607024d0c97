import Packet

/// When tables that another program has changed are restored: at once the first time, then after pauses that
/// grow, so that two programs that fight over the firewall do not keep the machine busy. A quiet minute
/// resets the pauses.
struct RepairPace {
    private static let quiet = Interval.seconds(60)
    /// The longest wait.
    var longest = Interval.seconds(60)
    private var wait = Interval.seconds(1)
    private var last: Instant?

    /// The earliest time of the next repair.
    var earliest: Instant { last.map { $0 + wait } ?? .zero }

    /// A repair was made.
    mutating func repaired(now: Instant) {
        if let last {
            wait = now - last > Self.quiet ? .seconds(1) : min(wait + wait, longest)
        }
        last = now
    }
}
