import Packet

/// How often what somebody else undoes is put back: at once the first time, then ever more rarely, so that two who fight
/// over the firewall don't keep the machine busy. After a quiet minute it begins anew.
struct RepairPace {
    private static let quiet = Interval.seconds(60)
    /// The longest wait.
    var longest = Interval.seconds(60)
    private var wait = Interval.seconds(1)
    private var last: Instant?

    /// When the next repair may be.
    var earliest: Instant { last.map { $0 + wait } ?? .zero }

    /// A repair was made.
    mutating func repaired(now: Instant) {
        if let last {
            wait = now - last > Self.quiet ? .seconds(1) : min(wait + wait, longest)
        }
        last = now
    }
}
