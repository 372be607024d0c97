import Packet

/// The last ACKs' totals, to read delivery rates off: 32 points at least 1 ms apart.
struct DeliveryHistory: Sendable {
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
    }

    private var points = InlineArray<32, Point>(repeating: Point())
    private var count = 0

    /// Adds a point and gives the rates over the last `span` or a little more; nil as long as the history is shorter than that.
    mutating func record(sent: Instant, received: Instant, bytes: UInt64, span: Interval) -> Sample? {
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
            let delivered = Double(bytes - point.bytes)
            // The peer's clock is the peer's word.
            if received > point.received && max(sent - point.sent, received - point.received) <= span * 4 {
                sample = Sample(
                    sending: delivered / (sent - point.sent).seconds,
                    arriving: delivered / (received - point.received).seconds)
            }
            break
        }
        if count == 0 || received - points[(count - 1) & 31].received >= .milliseconds(1) {
            points[count & 31] = Point(sent: sent, received: received, bytes: bytes)
            count += 1
            if count == 1 << 30 { count = 32 }
        }
        return sample
    }
}
