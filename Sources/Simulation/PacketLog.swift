import Packet

/// What became of the numbered packets of a flow in one direction.
struct PacketLog {
    /// The number of the first packet that counts, and of the first that does not count any more.
    private(set) var first = Int.max
    private(set) var end = Int.max
    /// Packets that came behind a later one.
    private(set) var outOfOrder = 0
    /// One-way delays of those that came, in the order in which they came.
    private(set) var delays: [Interval] = []
    private var highest = -1

    /// Packets from this one on count.
    mutating func begin(at number: Int) { first = number }
    /// Packets from this one on do not count any more.
    mutating func finish(at number: Int) { end = number }

    mutating func note(_ number: Int, sent: Instant, now: Instant) {
        if number >= first && number < end {
            delays.append(now - sent)
            if number < highest { outOfOrder += 1 }
        }
        highest = max(highest, number)
    }

    /// How many packets count.
    var count: Int { max(end - first, 0) }
    /// How many of them have not come.
    var lost: Int { count - delays.count }
}

extension [Interval] {
    /// The value that the fraction `q` does not exceed; nil for none.
    func quantile(_ q: Double) -> Interval? {
        if isEmpty { return nil }
        let sorted = sorted()
        return sorted[Swift.min(Int(q * Double(count)), count - 1)]
    }
}
