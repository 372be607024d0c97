import Packet

/// Datagrams under way, the next to arrive first, those that arrive at once in the order in which they were sent.
struct FlightHeap {
    /// A datagram under way.
    struct Entry {
        /// When it arrives, in nanoseconds.
        var time: UInt64
        /// Breaks ties: grows with each datagram.
        var order: UInt64
        /// The buffer that holds it.
        var frame: Slot
        /// Which direction of which link it crosses.
        var lane: UInt32

        @inline(__always) func isBefore(_ other: Entry) -> Bool {
            time < other.time || (time == other.time && order < other.order)
        }
    }

    private var entries: [Entry] = []
    private var pushed: UInt64 = 0

    init(capacity: Int) { entries.reserveCapacity(capacity) }

    /// When the next one arrives; the largest number when none is under way.
    var nextTime: UInt64 { entries.first?.time ?? .max }

    mutating func push(time: UInt64, frame: Slot, lane: Int) {
        let entry = Entry(time: time, order: pushed, frame: frame, lane: UInt32(lane))
        pushed += 1
        var i = entries.count
        entries.append(entry)
        while i > 0, case let parent = (i - 1) / 2, entry.isBefore(entries[parent]) {
            entries[i] = entries[parent]
            i = parent
        }
        entries[i] = entry
    }

    /// Takes the next one that arrives by `now`.
    mutating func pop(dueBy now: UInt64) -> Entry? {
        guard let first = entries.first, first.time <= now else { return nil }
        let last = entries.removeLast()
        if entries.isEmpty { return first }
        var i = 0
        while true {
            var child = 2 * i + 1
            if child >= entries.count { break }
            if child + 1 < entries.count, entries[child + 1].isBefore(entries[child]) { child += 1 }
            if !entries[child].isBefore(last) { break }
            entries[i] = entries[child]
            i = child
        }
        entries[i] = last
        return first
    }
}
