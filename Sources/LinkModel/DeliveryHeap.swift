/// The frames in flight on all links, by time of arrival; those that arrive together are in the order in which
/// they were pushed. A binary heap: one structure for links that keep order and links that do not.
@frozen public struct DeliveryHeap<Frame: Sendable>: Sendable {
    /// A frame in flight.
    @frozen public struct Entry: Sendable {
        /// When it arrives, in nanoseconds since the caller's origin.
        public var time: UInt64
        /// Breaks ties: increases with each push.
        public var order: UInt64
        /// Its buffer.
        public var frame: Frame
        /// The link and direction it crosses.
        public var lane: UInt32

        @inlinable init(time: UInt64, order: UInt64, frame: Frame, lane: UInt32) {
            (self.time, self.order, self.frame, self.lane) = (time, order, frame, lane)
        }

        @inlinable func isBefore(_ other: Entry) -> Bool {
            time < other.time || (time == other.time && order < other.order)
        }
    }

    @usableFromInline var entries: [Entry] = []
    @usableFromInline var pushed: UInt64 = 0

    /// Room for `capacity` frames, so that pushing never allocates.
    @inlinable public init(capacity: Int) { entries.reserveCapacity(capacity) }

    /// When the next frame arrives; nil if none is in flight.
    @inlinable public var nextTime: UInt64? { entries.first?.time }

    /// Adds a frame in flight.
    @inlinable public mutating func push(time: UInt64, frame: Frame, lane: Int) {
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

    /// Removes the next frame that arrives by `now`.
    @inlinable public mutating func pop(dueBy now: UInt64) -> Entry? {
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
