import Packet

/// Spaces a path's datagrams at its pacing rate. Unused time is kept for at most 1 ms, so a burst never holds
/// more than 1 ms of the rate.
public struct Pacer: Sendable {
    /// Maximum amount of unused time that is kept.
    public static let burst = Interval.milliseconds(1)
    /// Maximum size of a burst in bytes, whatever the rate: 1 ms at 8 Gbit/s.
    public static let largestBurst = 1_000_000.0
    /// How late a wake-up may be, so that several datagrams can share it.
    public static let quantum = Interval.microseconds(250)

    private var next = Instant.zero

    /// A pacer that allows a datagram at once.
    public init() {}

    /// Whether a datagram may leave now.
    public func allows(_ now: Instant) -> Bool { next <= now }

    /// When the next datagram may leave.
    public var readyAt: Instant { next }

    /// Time until a datagram may leave.
    public func wait(_ now: Instant) -> Interval { max(next - now, .zero) }

    /// Records a datagram of `bytes` that leaves now at `rate` bytes a second.
    public mutating func book(_ bytes: Int, rate: Double, now: Instant) {
        let cost = 1e9 / max(rate, 1)
        let burst = min(Self.burst, Interval(nanoseconds: Int64(saturating: Self.largestBurst * cost)))
        next = max(next, now - burst) + Interval(nanoseconds: Int64(saturating: Double(bytes) * cost))
    }
}
