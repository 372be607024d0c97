import Packet

/// When a kill switch that others change is put back or renewed.
struct KillSwitchPace {
    /// The minimum time between two renewals, which on a host whose ruleset never rests are not made for each
    /// change.
    private static let renewalPause = Interval.milliseconds(500)
    /// How long a repair is not logged again.
    private static let silence = Interval.seconds(60)

    private var nextRepair = Instant.zero
    private var nextRenewal = Instant.zero
    private var loggedAt: Instant?

    /// Nil when the kill switch may be looked at now; otherwise when it may.
    func wait(now: Instant) -> Instant? { now >= nextRepair ? nil : nextRepair }

    /// Begins a renewal, unless the last was too short a time ago.
    /// - Returns: nil when it may be made now; otherwise when it may.
    mutating func beginRenewal(now: Instant) -> Instant? {
        guard now >= nextRenewal else { return nextRenewal }
        nextRenewal = now + Self.renewalPause
        return nil
    }

    /// Notes a repair.
    /// - Returns: whether it is to be logged.
    mutating func repaired(now: Instant) -> Bool {
        nextRepair = now + HostKillSwitch.repairPause
        if let loggedAt, now - loggedAt < Self.silence { return false }
        loggedAt = now
        return true
    }
}
