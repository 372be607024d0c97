/// A signed length of time in nanoseconds. (`Swift.Duration` is 128 bits wide, and slower accordingly.)
public struct Interval: Comparable, Hashable, Sendable {
    /// The length in nanoseconds.
    public var nanoseconds: Int64

    /// A length of `nanoseconds`.
    @inlinable public init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

    /// No time.
    public static let zero = Interval(nanoseconds: 0)

    /// A length in whole microseconds; saturates.
    @inlinable public static func microseconds(_ n: Int64) -> Interval { Interval(nanoseconds: 1000) * n }
    /// A length in whole milliseconds; saturates.
    @inlinable public static func milliseconds(_ n: Int64) -> Interval {
        Interval(nanoseconds: 1_000_000) * n
    }
    /// A length in whole seconds; saturates.
    @inlinable public static func seconds(_ n: Int64) -> Interval {
        Interval(nanoseconds: 1_000_000_000) * n
    }

    /// The length without its sign; saturates.
    @inlinable public var magnitude: Interval { self < .zero ? .zero - self : self }
    /// The length in microseconds, rounded down.
    @inlinable public var microseconds: Int64 { nanoseconds / 1000 }
    /// The length in milliseconds, with its fraction.
    @inlinable public var milliseconds: Double { Double(nanoseconds) / 1e6 }
    /// The length in seconds, with its fraction.
    @inlinable public var seconds: Double { Double(nanoseconds) / 1e9 }

    /// Whether `a` is shorter.
    @inlinable public static func < (a: Interval, b: Interval) -> Bool { a.nanoseconds < b.nanoseconds }
    /// The sum of both lengths; saturates.
    @inlinable public static func + (a: Interval, b: Interval) -> Interval {
        let (sum, overflow) = a.nanoseconds.addingReportingOverflow(b.nanoseconds)
        return Interval(nanoseconds: overflow ? limit(isNegative: b.nanoseconds < 0) : sum)
    }
    /// The difference of both lengths; saturates.
    @inlinable public static func - (a: Interval, b: Interval) -> Interval {
        let (difference, overflow) = a.nanoseconds.subtractingReportingOverflow(b.nanoseconds)
        return Interval(nanoseconds: overflow ? limit(isNegative: b.nanoseconds > 0) : difference)
    }
    /// `n` times the length; saturates.
    @inlinable public static func * (a: Interval, n: Int64) -> Interval {
        let (product, overflow) = a.nanoseconds.multipliedReportingOverflow(by: n)
        return Interval(nanoseconds: overflow ? limit(isNegative: (a.nanoseconds < 0) != (n < 0)) : product)
    }
    @usableFromInline static func limit(isNegative: Bool) -> Int64 { isNegative ? .min : .max }
    /// The length divided by `n`.
    @inlinable public static func / (a: Interval, n: Int64) -> Interval {
        Interval(nanoseconds: a.nanoseconds / n)
    }
}
