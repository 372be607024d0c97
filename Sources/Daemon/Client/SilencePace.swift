import Packet

/// When a silent path gets a new socket, and with it another local port. A NAT on the way may have a wrong
/// entry for the old port (made while its own uplink was not ready, or left from another address), which the
/// path's probes keep alive.
struct SilencePace {
    /// A mapping that was never answered expires within 30 s (Linux' nf_conntrack_udp_timeout), which is too
    /// long to wait.
    static let first = Interval.seconds(10)
    private static let longest = Interval.seconds(60)

    private var since: Instant?
    private var due = Instant.never
    private var pause = Self.first

    /// Whether the path is not silent at all.
    var isNone: Bool { since == nil }

    /// How long the path has been silent.
    func silence(now: Instant) -> Interval { since.map { now - $0 } ?? .zero }

    /// Ends the silence, because the path works or can't be tried.
    mutating func end() { self = SilencePace() }

    /// Notes that the path is tried and does not answer.
    /// - Returns: whether another port is due: after 10 s, then after pauses that grow by half, up to a
    ///   minute.
    mutating func isDue(now: Instant) -> Bool {
        guard since != nil else {
            since = now
            due = now + pause
            return false
        }
        guard now >= due else { return false }
        pause = min(Interval(nanoseconds: pause.nanoseconds / 2 * 3), Self.longest)
        due = now + pause
        return true
    }
}
