import Packet

/// Says which packets of a queue to drop or mark so that it does not stand: controlled delay (RFC 8289).
public struct CoDel: Sendable {
    /// How long packets may wait, and how long they may wait for longer than that before the first is dropped.
    public struct Limits: Sendable {
        /// A delay that a queue may have for good.
        public var target: Interval
        /// The time in which a sender can have reacted: about the longest round trip.
        public var interval: Interval

        /// RFC 8289's 5 and 100 ms unless told otherwise.
        public init(target: Interval = .milliseconds(5), interval: Interval = .milliseconds(100)) {
            self.target = target
            self.interval = interval
        }
    }

    /// A queue of no more than this many bytes is never too long.
    static let smallQueue = 1514

    private var aboveSince = Instant.zero
    private var nextDrop = Instant.zero
    private var count: UInt32 = 0
    private var lastCount: UInt32 = 0
    private var isDropping = false

    /// A queue that does not stand.
    public init() {}

    /// Whether the packet at the head, which has waited for `sojourn` in a queue of `bytes`, is to be dropped or marked.
    /// Asked again about the same head without time passing, it says no.
    public mutating func condemns(_ sojourn: Interval, bytes: Int, _ limits: Limits, now: Instant) -> Bool {
        let isLate = isTooLong(sojourn, bytes: bytes, limits, now: now)
        if isDropping {
            guard isLate else {
                isDropping = false
                return false
            }
            guard now >= nextDrop else { return false }
            count += 1
            nextDrop = nextDrop + spacing(limits)
            return true
        }
        guard isLate else { return false }
        isDropping = true
        // After a short pause go on at the rate that worked before.
        let delta = count - lastCount
        count = delta > 1 && now - nextDrop < limits.interval * 16 ? delta : 1
        lastCount = count
        nextDrop = now + spacing(limits)
        return true
    }

    private mutating func isTooLong(_ sojourn: Interval, bytes: Int, _ limits: Limits, now: Instant) -> Bool {
        if sojourn < limits.target || bytes <= Self.smallQueue {
            aboveSince = .zero
            return false
        }
        if aboveSince == .zero {
            aboveSince = now
            return false
        }
        return now - aboveSince >= limits.interval
    }

    /// The control law: drops come closer with the square root of their number.
    private func spacing(_ limits: Limits) -> Interval {
        Interval(
            nanoseconds: Int64(
                saturating: Double(limits.interval.nanoseconds) / Double(count).squareRoot()))
    }
}
