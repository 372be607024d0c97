import Packet

/// Converts the kernel's receive time stamps, which are on the wall clock, to the daemon's clock.
///
/// A busy host reads a datagram up to some milliseconds after it has arrived. Without the stamps that time would
/// count as the path's delay and jitter.
///
/// Only differences of the wall clock are used, because it can be set at any time. Both clocks are slewed alike,
/// so their offset changes only in steps: datagrams that arrived before a step and are read after it count as
/// having arrived when they are read.
public struct ArrivalClock: Sendable {
    /// The longest time by which a stamp may precede the moment at which its datagram is read.
    private static let longestWait = Interval.seconds(1)
    /// Two readings further apart than this were interrupted and do not show the offset.
    private static let longestReading = Interval.microseconds(20)
    /// A change of the offset by more than this is a step.
    private static let tolerance = Interval.microseconds(100)

    /// How far the wall clock is ahead of the daemon's; `nil` before the first reading.
    private var offset: Interval?
    private var isTrusted = false

    /// An unread clock.
    public init() {}

    /// Takes a reading of both clocks.
    /// - Parameters:
    ///   - before: the daemon's clock, before the wall clock was read.
    ///   - wall: nanoseconds since 1970.
    ///   - after: the daemon's clock afterwards.
    public mutating func read(before: Instant, wall: UInt64, after: Instant) {
        let wall = Instant(nanoseconds: wall)
        let (least, most) = (wall - after, wall - before)
        isTrusted = offset.map { $0 >= least - Self.tolerance && $0 <= most + Self.tolerance } ?? true
        if most - least <= Self.longestReading { offset = least + (most - least) / 2 }
    }

    /// When a datagram arrived, on the daemon's clock: between 1 s before `now` and `now`.
    /// - Parameter stamp: the kernel's, from `ReceiveBatch.stamp`; 0 for none.
    /// - Returns: `now` without a stamp, or with one that is not plausible.
    public func arrival(_ stamp: UInt64, now: Instant) -> Instant {
        guard isTrusted, let offset, stamp != 0 else { return now }
        let wait = now + offset - Instant(nanoseconds: stamp)
        return wait > .zero && wait <= Self.longestWait ? now - wait : now
    }
}
