import Packet

/// The totals of the last ACKs, from which delivery rates are computed: 32 points at least 1 ms apart.
struct DeliveryHistory: ~Copyable, Sendable {
    /// Rates at which data entered and left a path over some time, in bytes a second.
    struct Sample {
        /// Rate of departure from here.
        var sending: Double
        /// Rate of arrival at the peer.
        var arriving: Double
        /// Rate that the path certainly delivered: neither a compressed ACK nor a late reader makes it larger
        /// than the sending rate.
        var delivered: Double { min(sending, arriving) }
    }

    private struct Point {
        var sent = Instant.zero
        var received = Instant.zero
        var bytes: UInt64 = 0
        var left: UInt32 = 0
    }

    private var points = InlineArray<32, Point>(repeating: Point())
    private var count = 0

    /// A datagram may arrive after others that left later, and counts then, so more bytes may seem to have
    /// arrived between two ACKs than left: at most this factor.
    private static let tardy = 1.25

    /// Adds a point and returns the rates over the last `span` or slightly longer; `nil` while the history is
    /// shorter than that.
    /// - Parameter left: bytes that had left by `sent`, modulo 2³². Between two ACKs no more can have arrived
    ///   than left, whatever the peer claims.
    mutating func record(
        sent: Instant, received: Instant, bytes: UInt64, left: UInt32, span: Interval
    ) -> Sample? {
        if count > 0 {
            let last = points[(count - 1) & 31]
            if sent <= last.sent || received <= last.received || bytes <= last.bytes { return nil }
            // After a pause of more than a second the old points say nothing about the present.
            if sent - last.sent > .seconds(1) { count = 0 }
        }
        var sample: Sample?
        for back in 1...32 where back <= count {
            let point = points[(count - back) & 31]
            guard sent - point.sent >= span else { continue }
            let delivered = min(Double(bytes - point.bytes), Double(left &- point.left) * Self.tardy)
            // The peer's clock is only the peer's claim, so bound the spans.
            if received > point.received && max(sent - point.sent, received - point.received) <= span * 4 {
                sample = Sample(
                    sending: delivered / (sent - point.sent).seconds,
                    arriving: delivered / (received - point.received).seconds)
            }
            break
        }
        if count == 0 || received - points[(count - 1) & 31].received >= .milliseconds(1) {
            points[count & 31] = Point(sent: sent, received: received, bytes: bytes, left: left)
            count += 1
            if count == 1 << 30 { count = 32 }
        }
        return sample
    }
}
