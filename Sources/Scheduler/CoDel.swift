import Packet

/// Decides which packets of a queue to drop or mark so that no standing queue builds up: controlled delay
/// (RFC 8289).
public struct CoDel: Sendable {
    /// Acceptable delay, and how long it may be exceeded before the first packet is dropped.
    public struct Limits: Sendable {
        /// A delay that a queue may have permanently.
        public var target: Interval
        /// The time a sender needs to react: about the longest round trip.
        public var interval: Interval
        /// Every packet of a scalable flow that has waited for longer is marked.
        public var step: Interval

        /// Defaults to the 5 and 100 ms of RFC 8289, and 2 ms for scalable flows.
        public init(
            target: Interval = .milliseconds(5), interval: Interval = .milliseconds(100),
            step: Interval = .milliseconds(2)
        ) {
            self.target = target
            self.interval = interval
            self.step = step
        }
    }

    /// A queue of at most this many bytes is never too long: one full frame.
    static let smallQueue = 1514

    private var aboveSince = Instant.zero
    private var nextDrop = Instant.zero
    private var count: UInt32 = 0
    private var lastCount: UInt32 = 0
    private var isDropping = false

    /// A queue without standing delay.
    public init() {}

    /// Whether to drop or mark the packet at the head, which has waited for `sojourn` in a queue of `bytes`.
    /// A repeated call for the same head at the same time returns false.
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
        // After a short pause, resume at the rate that worked before.
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

    /// The control law: drops move closer together with the square root of their number.
    private func spacing(_ limits: Limits) -> Interval {
        Interval(
            nanoseconds: Int64(
                saturating: Double(limits.interval.nanoseconds) / Double(count).squareRoot()))
    }
}
