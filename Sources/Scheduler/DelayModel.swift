import Packet

/// One-way delay of a path in one direction, relative to the unknown offset between the two clocks.
///
/// All paths of a session share the same two clocks, so differences between its paths are meaningful, and so
/// is the rise over a path's own minimum: that is the path's queueing delay.
public struct DelayModel: ~Copyable, Sendable {
    /// Smoothed relative one-way delay.
    public private(set) var smoothed = Interval.zero
    /// Mean deviation of the delay from one sample to the next (RFC 3550 section 6.4.1).
    public private(set) var jitter = Interval.zero
    /// The last sample's rise over the minimum of the last 30 s.
    public private(set) var queueing = Interval.zero
    /// Queueing delay that is certain: the rise that even the fastest datagrams of the last moments had, less
    /// the path's own jitter when it is nearly idle.
    public var standing: Interval {
        Interval(nanoseconds: max((recent.value ?? 0) - (floor.value ?? 0), 0)) - idleSpread
    }
    /// Whether there has been a sample.
    public private(set) var isKnown = false

    private static let longestSpread = Interval.milliseconds(100)
    /// The window is long enough to survive a saturated stretch and short enough to follow a new route.
    private var floor = WindowedExtremum(window: .seconds(30), keeps: .minimum)
    /// The window is longer than the time a radio link's scheduler spends on other users.
    private var recent = WindowedExtremum(window: .milliseconds(40), keeps: .minimum)
    /// The longest delays of an idle path: on a link that jitters but keeps the order, a full one has them
    /// all the time.
    private var idlePeak = WindowedExtremum(window: .seconds(30), keeps: .maximum)
    /// Until when the queue of an outage may still be draining: its delays are not an idle path's.
    private var disturbedUntil = Instant.zero
    private var previous = Interval.zero
    private let pinned = Pinned()
    private var sampledAt = Instant.zero

    /// Nothing measured yet.
    public init() {}

    /// The smallest relative delay of the last 30 s.
    public var minimum: Interval { Interval(nanoseconds: floor.value ?? 0) }

    /// The likely delay now: a queue measured a while ago has drained since, at the rate of the clock.
    public func expected(now: Instant) -> Interval {
        minimum + max(smoothed - minimum - (now - sampledAt), .zero)
    }

    /// How much the delay varies when we send almost nothing, at most 100 ms.
    public var idleSpread: Interval {
        guard let peak = idlePeak.value, let lowest = floor.value else { return .zero }
        return min(Interval(nanoseconds: max(peak - lowest, 0)), Self.longestSpread)
    }

    /// Whether there is a queue: a rise of more than 5 ms, 10 % of the round trip, and what jitter alone
    /// explains.
    public func showsQueue(_ rtt: borrowing RoundTripTime) -> Bool {
        standing > max(.milliseconds(5), rtt.smoothed / 10, jitter)
    }

    /// Restarts the minimum from the most recent samples.
    public mutating func restartFloor(now: Instant) {
        guard isKnown else { return }
        floor.reset(to: recent.value ?? previous.nanoseconds, now: now)
        idlePeak.reset(to: previous.nanoseconds, now: now)
        queueing = .zero
    }

    /// Takes one sample: time of receipt on the receiver's clock less time of departure on the sender's.
    /// - Parameter idle: whether nothing else of ours was in flight around that time.
    public mutating func record(_ sample: Interval, idle: Bool = false, now: Instant) {
        // Two clocks are never 36 years apart; refusing more keeps a lying peer from overflowing the arithmetic.
        guard sample.nanoseconds.magnitude < 1 << 60 else { return }
        floor.record(sample.nanoseconds, now: now)
        recent.record(sample.nanoseconds, now: now)
        if sample - minimum > Self.longestSpread { disturbedUntil = now + .seconds(2) }
        if idle && now >= disturbedUntil { idlePeak.record(sample.nanoseconds, now: now) }
        queueing = sample - minimum
        sampledAt = now
        guard isKnown else {
            isKnown = true
            smoothed = sample
            previous = sample
            return
        }
        smoothed = smoothed + (sample - smoothed) / 8
        let step = (sample - previous).magnitude
        jitter = jitter + (step - jitter) / 16
        previous = sample
    }
}
