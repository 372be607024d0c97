import Packet

/// The receiving end of a TCP flow, as in Linux: an ACK for every second segment or after 40 ms, at once for
/// segments out of order, with the most recent blocks (RFC 2018) and duplicates (RFC 2883).
struct TCPReceiver {
    private static let delay = Interval.milliseconds(40)
    /// The number of blocks that Linux remembers (TCP_NUM_SACKS).
    private static let remembered = 4

    /// The next missing segment.
    private(set) var next = 0
    /// Segments that arrived out of order.
    private(set) var outOfOrder = 0
    /// Segments that arrived twice.
    private(set) var duplicates = 0
    /// When an ACK is due at the latest.
    private(set) var due = Instant.never

    private var received: [Bool]
    private let mask: Int
    private var highest = -1
    /// Segments that have arrived ahead of a missing one.
    private var ahead = 0
    private var blocks: [Segment.Block] = []
    private var duplicate: Segment.Block?
    /// Whether marks are counted for the sender, rather than echoed until it reacts.
    private let countsMarks: Bool
    private var marks: UInt16 = 0
    /// Whether congestion was signalled, and the sender has not confirmed its reaction yet.
    private var mustEcho = false
    private var unacknowledged = 0
    private var isUrgent = false
    private var lastAcknowledged = 0
    private var recentTimestamp: UInt32 = 0

    /// - Parameters:
    ///   - window: segments, a power of two.
    ///   - countsMarks: whether its feedback is accurate (RFC 7560).
    init(window: Int, countsMarks: Bool = false) {
        self.countsMarks = countsMarks
        received = Array(repeating: false, count: window)
        mask = window - 1
    }

    /// Handles a data segment.
    mutating func take(_ segment: Segment, now: Instant) {
        let number = segment.sequence
        // RFC 7323: the echoed time stamp is that of the first segment covered by the next ACK.
        if number <= lastAcknowledged { recentTimestamp = max(recentTimestamp, segment.timestamp) }
        if segment.hasReducedWindow { mustEcho = false }
        if segment.ecn == InnerHeader.ECN.congested {
            marks &+= 1
            mustEcho = !countsMarks
        }
        if number < highest { outOfOrder += 1 }
        highest = max(highest, number)
        guard number >= next, number - next <= mask, !received[number & mask] else {
            duplicates += 1
            duplicate = .init(start: number, end: number + 1)
            isUrgent = true
            return
        }
        unacknowledged += 1
        received[number & mask] = true
        // While there is a hole, every segment is acknowledged at once.
        isUrgent = isUrgent || number != next || ahead > 0
        ahead += 1
        if number == next {
            while received[next & mask] {
                received[next & mask] = false
                next += 1
                ahead -= 1
            }
            blocks.removeAll { $0.end <= next }
        } else {
            remember(number)
        }
        if due == .never { due = now + Self.delay }
    }

    /// Moves the block that a segment belongs to to the front.
    private mutating func remember(_ number: Int) {
        var block = Segment.Block(start: number, end: number + 1)
        blocks.removeAll { other in
            guard other.start <= block.end && block.start <= other.end else { return false }
            block = .init(start: min(block.start, other.start), end: max(block.end, other.end))
            return true
        }
        blocks.insert(block, at: 0)
        if blocks.count > Self.remembered { blocks.removeLast() }
    }

    /// Whether an ACK should be sent now.
    func owesACK(now: Instant) -> Bool { isUrgent || unacknowledged >= 2 || due <= now }

    /// Fills in the ACK that is sent now.
    mutating func acknowledge(into segment: inout Segment) {
        segment.sequence = 0
        segment.acknowledged = next
        segment.echo = recentTimestamp
        segment.ecn = 0
        segment.hasReducedWindow = false
        segment.echoesCongestion = mustEcho
        segment.marks = marks
        segment.blocks.removeAll(keepingCapacity: true)
        if let duplicate { segment.blocks.append(duplicate) }
        for block in blocks where segment.blocks.count < Segment.maximumBlocks {
            segment.blocks.append(block)
        }
        duplicate = nil
        isUrgent = false
        unacknowledged = 0
        due = .never
        lastAcknowledged = next
    }
}
