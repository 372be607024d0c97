import Packet

/// Which paths one flow may be spread over, and how late its packets are delivered because of it.
///
/// A sender that keeps no standing queue (BBR, Copa, video) never builds the backlog that makes a slower path
/// worth waiting for, and takes the nearest path's rate for all there is. So a bulk flow spills to the next path
/// as soon as the nearest one is busy, and its packets are delivered as late as on the slowest path that it uses:
/// it sees one link with constant delay.
public struct FlowSpread: Sendable {
    /// A flow that has sent this much without a pause is a bulk flow: about what a page or a picture takes.
    static let bulkBytes: Int32 = 512 * 1024
    /// The length of that pause.
    static let pause = Interval.seconds(1)
    /// How long a flow keeps its delay after it last needed it. Senders measure their shortest round trip every
    /// 10 s, by sending almost nothing (BBR's PROBE_RTT).
    static let memory = Interval.seconds(15)
    /// After this long with the same delay the sender has forgotten that it was ever shorter.
    static let habit = Interval.seconds(11)
    /// A flow whose delay would grow by less than this is spread without noticing.
    static let slack = Interval.milliseconds(3)

    private var sentAt = Instant.zero
    private var delayedSince = Instant.zero
    private var delayedAt = Instant.zero
    private var bytes: Int32 = 0
    /// In microseconds.
    private var lead: Int32 = 0

    /// A flow that has sent nothing.
    public init() {}

    /// Whether it has sent a lot without a pause.
    public var isBulk: Bool { bytes >= Self.bulkBytes }

    /// Records that `count` bytes are sent.
    public mutating func send(_ count: Int, now: Instant) {
        if now - sentAt > Self.pause { bytes = 0 }
        sentAt = now
        bytes = min(bytes, Self.bulkBytes) + Int32(truncatingIfNeeded: min(count, 1 << 16))
    }

    /// How much later than by the nearest path its packets are delivered; zero for a flow that is not spread.
    public func lead(now: Instant) -> Interval {
        now - delayedAt < Self.memory ? .microseconds(Int64(lead)) : .zero
    }

    /// By how much a path may be farther than the nearest one, whose shortest round trip is `roundTrip`, to take
    /// part.
    ///
    /// Congestion controls allow about two of the shortest round trips that they know in flight (BBR's window
    /// gain). If the delay more than doubled, their window would not fill the path, and they would take that for
    /// a slower one. The flow's own round trip is at least the path's, and at least the one it has become used to.
    ///
    /// - Parameter isScalable: whether its sender keeps no queue on purpose. A longer delay would cost it a part of
    ///   its rate, which it wins back by one packet a round trip.
    public func reach(roundTrip: Interval, isScalable: Bool, now: Instant) -> Interval {
        let lead = lead(now: now)
        let isUsedToIt = lead > .zero && now - delayedSince >= Self.habit && !isScalable
        return max(isUsedToIt ? roundTrip + lead * 2 : roundTrip, lead) + Self.slack
    }

    /// Records that one of its packets takes a path that is `lead` farther than the nearest one.
    public mutating func use(_ lead: Interval, now: Instant) {
        let known = self.lead(now: now)
        if lead > known {
            // Measured delays vary: only a longer route is a new delay.
            if lead > known + Self.slack { delayedSince = now }
            self.lead = Int32(clamping: lead.microseconds)
            delayedAt = now
        } else if lead + Self.slack > known {
            delayedAt = now
        }
    }
}
