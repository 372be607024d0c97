import Packet

/// Keeps packets to a rate: the generic cell rate algorithm (ITU-T I.371), the token bucket by another name.
public struct Throttle: Sendable {
    /// Maximum rate in bytes a second; 0: none.
    public let rate: UInt64
    /// Maximum amount of unused time that is kept, and then allows a burst.
    private let burst: Interval
    private let nanosecondsPerByte: Double
    private var next = Instant.zero

    /// A throttle that allows a packet at once.
    /// - Parameters:
    ///   - rate: bytes a second; 0: no limit.
    ///   - burst: unused time that is kept. 10 ms by default: longer than the daemon's loop may take to come
    ///     round, so that the rate is reached, and short enough to leave no queue behind it.
    public init(rate: UInt64 = 0, burst: Interval = .milliseconds(10)) {
        self.rate = rate
        self.burst = burst
        nanosecondsPerByte = rate > 0 ? 1e9 / Double(rate) : 0
    }

    /// How late a wake-up may be, so that several packets can share it.
    public static let quantum = Interval.milliseconds(1)

    /// Whether there is a limit.
    public var isOn: Bool { rate > 0 }

    /// Whether a packet may pass now.
    public func allows(_ now: Instant) -> Bool { readyAt <= now }

    /// When the next packet may pass.
    public var readyAt: Instant { next }

    /// Records a packet of `bytes` that passes now.
    public mutating func book(_ bytes: Int, now: Instant) {
        guard isOn else { return }
        // As long as a turn may bring at most: a debt beyond an hour is no use.
        let cost = min(Double(bytes) * nanosecondsPerByte, 3.6e12)
        next = max(next, now - burst) + Interval(nanoseconds: Int64(saturating: cost))
    }
}
