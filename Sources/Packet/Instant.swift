/// A point on the monotonic clock, in nanoseconds since an arbitrary origin.
///
/// The core never reads a clock: its callers pass the time, so that a virtual clock can drive it.
public struct Instant: Comparable, Hashable, Sendable {
    /// Nanoseconds since the clock's origin.
    public var nanoseconds: UInt64

    /// The instant `nanoseconds` after the clock's origin.
    @inlinable public init(nanoseconds: UInt64) { self.nanoseconds = nanoseconds }

    /// Earlier than every other instant.
    public static let zero = Instant(nanoseconds: 0)
    /// Later than every other instant: a timer that is not armed.
    public static let never = Instant(nanoseconds: .max)
    /// The last instant before `never`.
    public static let latest = Instant(nanoseconds: .max - 1)

    /// Microseconds since the origin, as on the wire.
    @inlinable public var microseconds: UInt64 { nanoseconds / 1000 }

    /// Whether `a` is earlier.
    @inlinable public static func < (a: Instant, b: Instant) -> Bool { a.nanoseconds < b.nanoseconds }

    /// Saturates at the ends of the clock; `.never` stays `.never`.
    @inlinable public static func + (a: Instant, b: Interval) -> Instant {
        if b.nanoseconds >= 0 {
            let (sum, overflow) = a.nanoseconds.addingReportingOverflow(UInt64(b.nanoseconds))
            return Instant(nanoseconds: overflow ? .max : sum)
        }
        let back = b.nanoseconds.magnitude
        return Instant(nanoseconds: a.nanoseconds > back ? a.nanoseconds - back : 0)
    }

    /// The instant `b` before `a`.
    @inlinable public static func - (a: Instant, b: Interval) -> Instant {
        a + (.zero - b)
    }

    /// The time from `b` to `a`; negative if `a` is earlier.
    @inlinable public static func - (a: Instant, b: Instant) -> Interval {
        Interval(nanoseconds: Int64(truncatingIfNeeded: a.nanoseconds &- b.nanoseconds))
    }
}
