import Packet

/// One-way delay of a path in one direction, relative to an unknown difference of the two clocks.
///
/// The same two clocks serve all paths of a session, so differences between its paths mean something, and so does the
/// rise over a path's own minimum: that is what waits in its queues.
public struct DelayModel: Sendable {
    /// Smoothed relative one-way delay.
    public private(set) var smoothed = Interval.zero
    /// Mean deviation of the delay from one sample to the next (RFC 3550 section 6.4.1).
    public private(set) var jitter = Interval.zero
    /// The last sample's rise over the minimum of the last 30 s.
    public private(set) var queueing = Interval.zero
    /// Whether there was a sample at all.
    public private(set) var isKnown = false

    /// The window is long enough to survive a saturated stretch, short enough to follow a new route.
    private var floor = WindowedExtremum(window: .seconds(30), keeps: .minimum)
    private var previous = Interval.zero
    private var sampledAt = Instant.zero

    /// Nothing measured yet.
    public init() {}

    /// The smallest relative delay of the last 30 s.
    public var minimum: Interval { Interval(nanoseconds: floor.value ?? 0) }

    /// What the delay is likely to be now: a queue that was seen a while ago has run off since, at the rate of the clock.
    public func expected(now: Instant) -> Interval {
        minimum + max(smoothed - minimum - (now - sampledAt), .zero)
    }

    /// Whether the last sample shows a queue: a rise over 5 ms, 10 % of the round trip, and what jitter alone explains.
    public func showsQueue(_ rtt: RoundTripTime) -> Bool {
        queueing > max(.milliseconds(5), rtt.smoothed / 10, jitter * 3)
    }

    /// Measures the minimum anew, from the last sample on.
    public mutating func restartFloor(now: Instant) {
        guard isKnown else { return }
        floor.reset(to: previous.nanoseconds, now: now)
        queueing = .zero
    }

    /// Takes one sample: receipt on the receiver's clock less departure on the sender's.
    public mutating func record(_ sample: Interval, now: Instant) {
        // Two clocks are never 36 years apart; refusing more keeps a lying peer from overflowing the arithmetic.
        guard sample.nanoseconds.magnitude < 1 << 60 else { return }
        floor.record(sample.nanoseconds, now: now)
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
