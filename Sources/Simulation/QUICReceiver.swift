import Packet

/// The receiving end of a QUIC connection: an ACK for every second packet or after 25 ms, at once on anything out of order
/// (RFC 9000, 13.2.1), with up to 32 ranges.
struct QUICReceiver {
    static let maximumRanges = 32
    private static let delay = Interval.milliseconds(25)

    /// Chunks of the stream that have come, each counted once.
    private(set) var chunks = 0
    /// What has come, the highest first.
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

    /// Whether an ACK is to be sent now.
    func owesACK(now: Instant) -> Bool { isUrgent || unacknowledged >= 2 || due <= now }

    /// An ACK leaves now; says how long it was held back.
    mutating func acknowledged(now: Instant) -> Interval {
        isUrgent = false
        unacknowledged = 0
        due = .never
        return now - largestAt
    }
}
