import Packet

/// When a client asks name servers which of them answer.
struct NameServerPace {
    /// While nothing answers, the pause doubles from the shortest to the longest.
    private static let shortestRetry = Interval.seconds(5)
    private static let longestRetry = Interval.seconds(300)
    /// Between queries to servers in use through the tunnel: 60 kB a day, which costs nothing on a metered link.
    private static let steadyPause = Interval.seconds(300)
    /// Outside the tunnel servers may disappear with their uplink: 0.15 MB a day for each server and uplink.
    private static let outsidePause = Interval.seconds(120)
    /// The time for a local forwarder to notice that it reaches its servers.
    private static let settling = Interval.seconds(2)

    private var next = Instant.never
    private var retryPause = shortestRetry

    func isDue(now: Instant) -> Bool { now >= next }

    /// Has them asked at once.
    mutating func hurry() { next = .zero }

    /// They are being asked.
    mutating func begin() { next = .never }

    /// Sets the time of the next queries after a decision.
    /// - Parameter changed: whether servers are asked over other paths than before.
    mutating func end(_ decision: NameServerChoice.Decision, changed: Bool, now: Instant) {
        next = now + pause(after: decision, changed: changed)
    }

    private mutating func pause(after decision: NameServerChoice.Decision, changed: Bool) -> Interval {
        guard decision.isAnswered else {
            defer { retryPause = min(Self.longestRetry, retryPause * 2) }
            return retryPause
        }
        retryPause = Self.shortestRetry
        if changed && !decision.outside.isEmpty { return Self.settling }
        return decision.source == .offer || decision.source == .file ? Self.steadyPause : Self.outsidePause
    }
}
