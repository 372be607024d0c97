import Packet

/// The receiving end of a QUIC connection: an ACK for every second packet or after 25 ms, at once for packets
/// out of order (RFC 9000, 13.2.1), with up to 32 ranges.
struct QUICReceiver {
    static let maximumRanges = 32
    private static let delay = Interval.milliseconds(25)

    /// Distinct chunks of the stream that have arrived.
    private(set) var chunks = 0
    /// The ranges of packets that have arrived, the highest first.
    private(set) var ranges: [Segment.Block] = []
    private(set) var due = Instant.never

    private var seen: [Bool]
    private let mask: Int
    private var unacknowledged = 0
    private var isUrgent = false
    private var largestAt = Instant.zero
    private var highestChunk = -1

    init(window: Int = 32768) {
        seen = Array(repeating: false, count: window)
        mask = window - 1
    }

    mutating func take(_ number: Int, chunk: Int, now: Instant) {
        while highestChunk < chunk {
            highestChunk += 1
            seen[highestChunk & mask] = false
        }
        if chunk > highestChunk - mask && !seen[chunk & mask] {
            seen[chunk & mask] = true
            chunks += 1
        }
        if let first = ranges.first, first.end == number {
            ranges[0].end += 1
            largestAt = now
        } else {
            isUrgent = isUrgent || !ranges.isEmpty
            if number >= ranges.first?.end ?? 0 { largestAt = now }
            insert(number)
        }
        unacknowledged += 1
        if due == .never { due = now + Self.delay }
    }

    private mutating func insert(_ number: Int) {
        var place = 0
        while place < ranges.count && ranges[place].start > number + 1 { place += 1 }
        if place < ranges.count && ranges[place].start == number + 1 {
            ranges[place].start = number
            if place + 1 < ranges.count && ranges[place + 1].end == number {
                ranges[place].start = ranges[place + 1].start
                ranges.remove(at: place + 1)
            }
        } else if place < ranges.count && ranges[place].end > number {
            return
        } else if place < ranges.count && ranges[place].end == number {
            ranges[place].end += 1
        } else {
            ranges.insert(.init(start: number, end: number + 1), at: place)
            if ranges.count > Self.maximumRanges { ranges.removeLast() }
        }
    }

    /// Whether an ACK should be sent now.
    func owesACK(now: Instant) -> Bool { isUrgent || unacknowledged >= 2 || due <= now }

    /// Records that an ACK is sent now; returns how long it was delayed.
    mutating func acknowledged(now: Instant) -> Interval {
        isUrgent = false
        unacknowledged = 0
        due = .never
        return now - largestAt
    }
}
