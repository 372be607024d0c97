import Packet

/// The arrivals of a flow's numbered packets in one direction.
struct PacketLog {
    /// The number of the first packet that counts, and of the first one after the measurement.
    private(set) var first = Int.max
    private(set) var end = Int.max
    /// Packets that arrived after a later one.
    private(set) var outOfOrder = 0
    /// One-way delays of the packets that arrived, in order of arrival.
    private(set) var delays: [Interval] = []
    private var highest = -1

    /// Starts counting at this packet.
    mutating func begin(at number: Int) { first = number }
    /// Stops counting at this packet.
    mutating func finish(at number: Int) { end = number }

    mutating func note(_ number: Int, sent: Instant, now: Instant) {
        if number >= first && number < end {
            delays.append(now - sent)
            if number < highest { outOfOrder += 1 }
        }
        highest = max(highest, number)
    }

    /// The number of packets that count.
    var count: Int { max(end - first, 0) }
    /// The number of those that have not arrived.
    var lost: Int { count - delays.count }
}

extension [Interval] {
    /// The `q` quantile of the delays; nil if there are none.
    func quantile(_ q: Double) -> Interval? {
        if isEmpty { return nil }
        let sorted = sorted()
        return sorted[Swift.min(Int(q * Double(count)), count - 1)]
    }
}
