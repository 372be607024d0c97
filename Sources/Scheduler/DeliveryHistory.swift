import Packet

/// The last ACKs' totals, to read delivery rates off: 32 points at least 1 ms apart.
struct DeliveryHistory: Sendable {
    private struct Point {
        var sent = Instant.zero
        var received = Instant.zero
        var bytes: UInt64 = 0
    }

    private var points = InlineArray<32, Point>(repeating: Point())
    private var count = 0

    /// Adds a point and gives the delivery rate in bytes a second over the last `span` or a little more; nil as long as
    /// the history is shorter than that.
    mutating func record(sent: Instant, received: Instant, bytes: UInt64, span: Interval) -> Double? {
        if count > 0 {
            let last = points[(count - 1) & 31]
            if sent <= last.sent || received <= last.received || bytes <= last.bytes { return nil }
            // After a pause of over a second the old points say nothing of now.
            if sent - last.sent > .seconds(1) { count = 0 }
        }
        var rate: Double?
        for back in 1...32 where back <= count {
            let point = points[(count - back) & 31]
            guard sent - point.sent >= span else { continue }
            let time = max(sent - point.sent, received - point.received)
            if time <= span * 4 { rate = Double(bytes - point.bytes) / time.seconds }
            break
        }
        if count == 0 || received - points[(count - 1) & 31].received >= .milliseconds(1) {
            points[count & 31] = Point(sent: sent, received: received, bytes: bytes)
            count += 1
            if count == 1 << 30 { count = 32 }
        }
        return rate
    }
}
