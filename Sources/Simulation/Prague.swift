import Packet

/// A scalable congestion control: DCTCP's response to the share of marked segments (RFC 8257 section 3.3), paced, as
/// TCP Prague has it (draft-briscoe-iccrg-prague-congestion-control).
struct Prague: CongestionControl {
    /// Weight of a round in the average of marked shares (RFC 8257 section 4.2).
    private static let weight = 1.0 / 16
    private static let leastWindow = 2

    let ownsWindow = false
    /// Segments per second: the window a little faster than once a round trip, as Linux paces.
    private(set) var pace: Double?

    /// The average share of marked segments.
    private(set) var marking = 1.0
    private var roundTrip = SmoothedRTT()
    private var roundEnd = 0
    private var arrived = 0
    private var marked = 0
    /// Until this segment is acknowledged, the window stays as it was reduced.
    private var reducedUntil = 0
    private var growth = 0.0

    mutating func shrink(_ window: Int) -> Int { max(window / 2, Self.leastWindow) }

    mutating func reset() { growth = 0 }

    mutating func acknowledge(_ ack: ACKSummary, window: inout Int, threshold: inout Int) {
        if let rtt = ack.news.rtt { roundTrip.take(rtt) }
        arrived += ack.news.delivered
        marked += ack.marked
        if ack.acknowledged >= roundEnd {
            let share = arrived > 0 ? min(Double(marked) / Double(arrived), 1) : 0
            marking += (share - marking) * Self.weight
            (arrived, marked, roundEnd) = (0, 0, ack.next)
        }
        if ack.marked > 0 && ack.acknowledged >= reducedUntil {
            window = max(Int(Double(window) * (1 - marking / 2)), Self.leastWindow)
            threshold = window
            (growth, reducedUntil) = (0, ack.next)
        } else if ack.mayGrow && ack.acknowledged >= reducedUntil {
            if window < threshold {
                window += ack.news.delivered
            } else {
                growth += Double(ack.news.delivered) / Double(window)
                window += Int(growth)
                growth -= growth.rounded(.down)
            }
        }
        guard roundTrip.smoothed > .zero else { return }
        pace = Double(window) / roundTrip.smoothed.seconds * (window < threshold ? 2 : 1.2)
    }
}
