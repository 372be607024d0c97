import Packet

/// The last ACKs' totals, to read delivery rates off: 32 points at least 1 ms apart.
struct DeliveryHistory: ~Copyable, Sendable {
    /// What a path took and gave over some time, in bytes a second.
    struct Sample {
        /// As it left here.
        var sending: Double
        /// As it arrived there.
        var arriving: Double
        /// What the path surely delivered: a compressed ACK or a late reader makes it no larger than what was sent.
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

    /// Datagrams may arrive later than others that left after them, and count then: so much more than what left may seem to
    /// have arrived between two ACKs.
    private static let tardy = 1.25

    /// Adds a point and gives the rates over the last `span` or a little more; nil as long as the history is shorter than that.
    /// - Parameter left: bytes that had left by `sent`, modulo 2³²; no more can have arrived between two ACKs than left between
    ///   them, whatever the peer says.
    mutating func record(
        sent: Instant, received: Instant, bytes: UInt64, left: UInt32, span: Interval
    ) -> Sample? {
        if count > 0 {
            let last = points[(count - 1) & 31]
            if sent <= last.sent || received <= last.received || bytes <= last.bytes { return nil }
            // After a pause of over a second the old points say nothing of now.
            if sent - last.sent > .seconds(1) { count = 0 }
        }
        var sample: Sample?
        for back in 1...32 where back <= count {
            let point = points[(count - back) & 31]
            guard sent - point.sent >= span else { continue }
            let delivered = min(Double(bytes - point.bytes), Double(left &- point.left) * Self.tardy)
            // The peer's clock is the peer's word.
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
