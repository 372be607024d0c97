/// A length of time in nanoseconds, signed. (`Swift.Duration` is 128 bits wide and costs accordingly.)
public struct Interval: Comparable, Hashable, Sendable {
    /// The length in nanoseconds.
    public var nanoseconds: Int64

    /// A length of `nanoseconds`.
    @inlinable public init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

    /// No time at all.
    public static let zero = Interval(nanoseconds: 0)

    /// A length in whole microseconds.
    @inlinable public static func microseconds(_ n: Int64) -> Interval { Interval(nanoseconds: n &* 1000) }
    /// A length in whole milliseconds.
    @inlinable public static func milliseconds(_ n: Int64) -> Interval {
        Interval(nanoseconds: n &* 1_000_000)
    }
    /// A length in whole seconds.
    @inlinable public static func seconds(_ n: Int64) -> Interval {
        Interval(nanoseconds: n &* 1_000_000_000)
    }

    /// The length in microseconds, rounded down.
    @inlinable public var microseconds: Int64 { nanoseconds / 1000 }
    /// The length in milliseconds, with its fraction.
    @inlinable public var milliseconds: Double { Double(nanoseconds) / 1e6 }
    /// The length in seconds, with its fraction.
    @inlinable public var seconds: Double { Double(nanoseconds) / 1e9 }

    /// Whether `a` is the shorter one.
    @inlinable public static func < (a: Interval, b: Interval) -> Bool { a.nanoseconds < b.nanoseconds }
    /// Both lengths together.
    @inlinable public static func + (a: Interval, b: Interval) -> Interval {
        Interval(nanoseconds: a.nanoseconds &+ b.nanoseconds)
    }
    /// What `a` is longer than `b`.
    @inlinable public static func - (a: Interval, b: Interval) -> Interval {
        Interval(nanoseconds: a.nanoseconds &- b.nanoseconds)
    }
    /// `n` times the length.
    @inlinable public static func * (a: Interval, n: Int64) -> Interval {
        Interval(nanoseconds: a.nanoseconds &* n)
    }
    /// The `n`-th part of the length.
    @inlinable public static func / (a: Interval, n: Int64) -> Interval {
        Interval(nanoseconds: a.nanoseconds / n)
    }
}
