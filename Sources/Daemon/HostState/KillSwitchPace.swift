import Packet

/// When a kill switch that other programs change is restored or renewed.
struct KillSwitchPace {
    /// The minimum time between two renewals, for hosts whose ruleset changes all the time.
    private static let renewalPause = Interval.milliseconds(500)
    /// The minimum time between two log lines about repairs.
    private static let silence = Interval.seconds(60)

    private var nextRepair = Instant.zero
    private var nextRenewal = Instant.zero
    private var loggedAt: Instant?

    /// Nil if the kill switch may be compared now; otherwise when it may.
    func wait(now: Instant) -> Instant? { now >= nextRepair ? nil : nextRepair }

    /// Begins a renewal, unless the last one is too recent.
    /// - Returns: nil if it may be made now; otherwise when it may.
    mutating func beginRenewal(now: Instant) -> Instant? {
        guard now >= nextRenewal else { return nextRenewal }
        nextRenewal = now + Self.renewalPause
        return nil
    }

    /// Notes a repair.
    /// - Returns: whether to log it.
    mutating func repaired(now: Instant) -> Bool {
        nextRepair = now + HostKillSwitch.repairPause
        if let loggedAt, now - loggedAt < Self.silence { return false }
        loggedAt = now
        return true
    }
}
