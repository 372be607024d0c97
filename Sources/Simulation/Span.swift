import Packet

/// How long a run's flows settle before they count, and how long they count.
public struct Span: Equatable, Sendable {
    /// From the start of the flows to the start of the measurement.
    public var settling: Interval
    /// Length of the measurement.
    public var measured: Interval

    /// 12 s after the first four: the results of flows that have adapted to steady links.
    public static let steady = Span(settling: .seconds(4), measured: .seconds(12))

    /// 40 s after the first twenty, which Cubic takes to fill a satellite's round trip.
    public static let patient = Span(settling: .seconds(20), measured: .seconds(40))

    /// All of a flow's first `seconds`, including its start-up.
    public static func whole(_ seconds: Int) -> Span {
        Span(settling: .zero, measured: .seconds(Int64(seconds)))
    }

    /// The time that counts, in nanoseconds since the flows began.
    var window: (start: UInt64, end: UInt64) {
        (UInt64(settling.nanoseconds), UInt64((settling + measured).nanoseconds))
    }
}
