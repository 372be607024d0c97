import Packet

/// Smoothed round-trip time and its variation (RFC 6298 section 2, weights of RFC 9002 section 5.3).
public struct RoundTripTime: ~Copyable, Sendable {
    /// Smoothed round-trip time; zero before the first sample.
    public private(set) var smoothed = Interval.zero
    /// Mean deviation.
    public private(set) var variation = Interval.zero
    /// The last sample.
    public private(set) var latest = Interval.zero
    /// The smallest sample of the last 10 s.
    public var minimum: Interval { Interval(nanoseconds: floor.value ?? 0) }
    /// Whether there has been a sample.
    public private(set) var isKnown = false

    private var floor = WindowedExtremum(window: .seconds(10), keeps: .minimum)

    /// Nothing measured yet.
    public init() {}

    /// Takes one sample; a sample below one microsecond counts as one.
    public mutating func record(_ sample: Interval, now: Instant) {
        let sample = max(sample, .microseconds(1))
        latest = sample
        floor.record(sample.nanoseconds, now: now)
        guard isKnown else {
            isKnown = true
            smoothed = sample
            variation = sample / 2
            return
        }
        let deviation = (smoothed - sample).magnitude
        variation = variation + (deviation - variation) / 4
        smoothed = smoothed + (sample - smoothed) / 8
    }

    /// Restarts the minimum from the last sample.
    public mutating func restartFloor(now: Instant) {
        if isKnown { floor.reset(to: latest.nanoseconds, now: now) }
    }

    /// How long an answer may take before the path is in doubt: srtt + 4 × variation + 25 ms, the longest
    /// that the peer may delay an ACK; at least 50 ms, and three seconds before the first sample, as RFC 6298
    /// appendix A advises for slow paths.
    public var answerTimeout: Interval {
        isKnown ? max(smoothed + variation * 4 + .milliseconds(25), .milliseconds(50)) : .seconds(3)
    }
}
