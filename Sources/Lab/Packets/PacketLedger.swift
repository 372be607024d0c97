/// The arrivals of a run's numbered packets, one bit each: exact counts of losses, duplicates and packets out
/// of order.
struct PacketLedger {
    private var isHere: [UInt64]
    private let first: UInt32
    private let end: UInt32
    private var highest: UInt32?
    /// The number of distinct packets that arrived.
    private(set) var received = 0
    /// The number of duplicates.
    private(set) var duplicates = 0
    /// The number of packets that arrived after one with a higher number.
    private(set) var outOfOrder = 0

    /// Counts the numbers `first..<first + capacity`; others are ignored.
    init(first: UInt32 = 0, capacity: Int) {
        self.first = first
        end = first + UInt32(capacity)
        isHere = [UInt64](repeating: 0, count: (capacity + 63) / 64)
    }

    /// Records a packet; returns whether it counts.
    @discardableResult mutating func note(_ number: UInt32) -> Bool {
        guard number >= first, number < end else { return false }
        let index = Int(number - first)
        let bit = UInt64(1) << UInt64(index & 63)
        guard isHere[index >> 6] & bit == 0 else {
            duplicates += 1
            return true
        }
        isHere[index >> 6] |= bit
        received += 1
        if let highest, number < highest { outOfOrder += 1 } else { highest = number }
        return true
    }
}
