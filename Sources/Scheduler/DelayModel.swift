import Packet

/// One-way delay of a path in one direction, relative to an unknown difference of the two clocks.
///
/// The same two clocks serve all paths of a session, so differences between its paths mean something, and so does the
/// rise over a path's own minimum: that is what waits in its queues.
public struct DelayModel: ~Copyable, Sendable {
    /// Smoothed relative one-way delay.
    public private(set) var smoothed = Interval.zero
    /// Mean deviation of the delay from one sample to the next (RFC 3550 section 6.4.1).
    public private(set) var jitter = Interval.zero
    /// The last sample's rise over the minimum of the last 30 s.
    public private(set) var queueing = Interval.zero
    /// What waits in the path's queues for sure: the rise that even the fastest datagrams of the last moments had, less
    /// what the path's own jitter shows when we send next to nothing.
    public var standing: Interval {
        Interval(nanoseconds: max((recent.value ?? 0) - (floor.value ?? 0), 0)) - idleSpread
    }
    /// Whether there was a sample at all.
    public private(set) var isKnown = false

    /// The window is long enough to survive a saturated stretch, short enough to follow a new route.
    private var floor = WindowedExtremum(window: .seconds(30), keeps: .minimum)
    /// The window is longer than a radio link's scheduling takes to serve somebody else.
    private var recent = WindowedExtremum(window: .milliseconds(40), keeps: .minimum)
    /// The longest delays of an idle path: on a link that jitters and keeps the order, a full one has them all the time.
    private var idlePeak = WindowedExtremum(window: .seconds(30), keeps: .maximum)
    private var previous = Interval.zero
    private let pinned = Pinned()
    private var sampledAt = Instant.zero

    /// Nothing measured yet.
    public init() {}

    /// The smallest relative delay of the last 30 s.
    public var minimum: Interval { Interval(nanoseconds: floor.value ?? 0) }

    /// What the delay is likely to be now: a queue that was seen a while ago has run off since, at the rate of the clock.
    public func expected(now: Instant) -> Interval {
        minimum + max(smoothed - minimum - (now - sampledAt), .zero)
    }

    /// By how much the delay varies when we send next to nothing, at most 100 ms.
    public var idleSpread: Interval {
        guard let peak = idlePeak.value, let lowest = floor.value else { return .zero }
        return min(Interval(nanoseconds: max(peak - lowest, 0)), .milliseconds(100))
    }

    /// Whether there is a queue: a rise over 5 ms, 10 % of the round trip, and what jitter alone explains.
    public func showsQueue(_ rtt: borrowing RoundTripTime) -> Bool {
        standing > max(.milliseconds(5), rtt.smoothed / 10, jitter)
    }

    /// Measures the minimum anew, from the last sample on.
    public mutating func restartFloor(now: Instant) {
        guard isKnown else { return }
        floor.reset(to: recent.value ?? previous.nanoseconds, now: now)
        idlePeak.reset(to: previous.nanoseconds, now: now)
        queueing = .zero
    }

    /// Takes one sample: receipt on the receiver's clock less departure on the sender's.
    /// - Parameter idle: whether nothing else of ours was under way around then.
    public mutating func record(_ sample: Interval, idle: Bool = false, now: Instant) {
        // Two clocks are never 36 years apart; refusing more keeps a lying peer from overflowing the arithmetic.
        guard sample.nanoseconds.magnitude < 1 << 60 else { return }
        floor.record(sample.nanoseconds, now: now)
        recent.record(sample.nanoseconds, now: now)
        if idle { idlePeak.record(sample.nanoseconds, now: now) }
        queueing = sample - minimum
        sampledAt = now
        guard isKnown else {
            isKnown = true
            smoothed = sample
            previous = sample
            return
        }
        smoothed = smoothed + (sample - smoothed) / 8
        let step = Interval(nanoseconds: abs(sample.nanoseconds - previous.nanoseconds))
        jitter = jitter + (step - jitter) / 16
        previous = sample
    }
}
