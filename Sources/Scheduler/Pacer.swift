import Packet

/// Spaces a path's datagrams at its pacing rate. What was not used is kept for at most 1 ms, so that a burst never
/// holds more than 1 ms of the rate.
public struct Pacer: Sendable {
    /// The longest that unused time counts.
    public static let burst = Interval.milliseconds(1)
    /// The most bytes of a burst, whatever the rate: a millisecond of 8 Gbit/s.
    public static let largestBurst = 1_000_000.0
    /// How late a wake-up may come so that several datagrams share it.
    public static let quantum = Interval.microseconds(250)

    private var next = Instant.zero

    /// A pacer that may send at once.
    public init() {}

    /// Whether a datagram may leave now.
    public func allows(_ now: Instant) -> Bool { next <= now }

    /// When the next datagram may leave.
    public var readyAt: Instant { next }

    /// How long until a datagram may leave.
    public func wait(_ now: Instant) -> Interval { max(next - now, .zero) }

    /// Books a datagram of `bytes` that leaves now at `rate` bytes a second.
    public mutating func book(_ bytes: Int, rate: Double, now: Instant) {
        let cost = 1e9 / max(rate, 1)
        let burst = min(Self.burst, Interval(nanoseconds: Int64(saturating: Self.largestBurst * cost)))
        next = max(next, now - burst) + Interval(nanoseconds: Int64(saturating: Double(bytes) * cost))
    }
}
