import Packet

/// What one ACK frame says about the datagrams of a path, as the peer claims it.
public struct Arrivals: Sendable {
    /// When the highest acknowledged datagram left, on our clock.
    public var sent: Instant
    /// When it arrived, on the peer's clock.
    public var received: Instant
    /// Bytes that have arrived on the path in all, with `RateModel.datagramOverhead` for each datagram.
    public var bytes: UInt64
    /// Bytes that had left on it by `sent`, counted the same way; modulo 2³².
    public var left: UInt32
    /// Datagrams newly known to have arrived.
    public var acknowledged: Int
    /// Datagrams newly known to be lost, less those taken back.
    public var lost: Int
    /// Whether, around `sent`, the path could have sent more but had nothing to send.
    public var isStarved: Bool

    /// The news of one ACK frame.
    public init(
        sent: Instant, received: Instant, bytes: UInt64, left: UInt32, acknowledged: Int, lost: Int,
        isStarved: Bool
    ) {
        (self.sent, self.received, self.bytes, self.left) = (sent, received, bytes, left)
        (self.acknowledged, self.lost, self.isStarved) = (acknowledged, lost, isStarved)
    }
}

/// The totals of the last ACKs, from which delivery rates are computed: 32 points, 24 of which cover a sample.
struct DeliveryHistory: ~Copyable, Sendable {
    /// Rates at which data entered and left a path over some time, in bytes a second.
    struct Sample {
        /// Rate of departure of the data that arrived.
        var sending: Double
        /// Rate of arrival at the peer.
        var arriving: Double
        /// Rate of departure of all data, lost or not.
        var offered: Double
    }

    private struct Point {
        var sent = Instant.zero
        var received = Instant.zero
        /// Modulo 2³²: a sample is about far less.
        var bytes: UInt32 = 0
        var left: UInt32 = 0
    }

    private var points = InlineArray<32, Point>(repeating: Point())
    private var count = 0
    /// Bytes of the last point.
    private var lastBytes: UInt64 = 0

    /// A datagram may arrive after others that left later, and counts then, so more bytes may seem to have
    /// arrived between two ACKs than left: at most this factor.
    private static let tardy = 1.25
    /// The longest time that the data of a sample may take to arrive.
    private static let longestLanding = Interval.seconds(2)

    /// Adds a point and returns the rates over the last `span` or slightly longer; `nil` while the history is
    /// shorter than that. Between two ACKs no more can have arrived than left, whatever the peer claims.
    mutating func record(_ arrivals: Arrivals, span: Interval) -> Sample? {
        let (sent, received) = (arrivals.sent, arrivals.received)
        if count > 0 {
            let last = points[(count - 1) & 31]
            if sent <= last.sent || received <= last.received || arrivals.bytes <= lastBytes { return nil }
            // After a pause of more than a second the old points say nothing about the present.
            if sent - last.sent > .seconds(1) { count = 0 }
        }
        let bytes = UInt32(truncatingIfNeeded: arrivals.bytes)
        var sample: Sample?
        for back in 1...32 where back <= count {
            let point = points[(count - back) & 31]
            let (departing, landing) = (sent - point.sent, received - point.received)
            guard departing >= span else { continue }
            let offered = Double(arrivals.left &- point.left)
            let delivered = min(Double(bytes &- point.bytes), offered * Self.tardy)
            // A link that has become far slower delivers late what left at once, so the spans may differ. But
            // after a long pause of either end the old points say nothing about the present.
            if received > point.received && departing <= span * 4 && landing <= Self.longestLanding {
                sample = Sample(
                    sending: delivered / departing.seconds, arriving: delivered / landing.seconds,
                    offered: offered / departing.seconds)
            }
            break
        }
        // Points that are too close together would not reach back far enough.
        if count == 0 || sent - points[(count - 1) & 31].sent >= span / 24 {
            points[count & 31] = Point(
                sent: sent, received: received, bytes: bytes, left: arrivals.left)
            lastBytes = arrivals.bytes
            count += 1
            if count == 1 << 30 { count = 32 }
        }
        return sample
    }
}
