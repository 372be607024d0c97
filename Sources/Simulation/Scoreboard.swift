import Packet

/// What a TCP sender knows of the segments that are under way: which have arrived, which are lost by the time that has
/// passed (RACK, RFC 8985, as in Linux), and at what rate they are delivered.
struct Scoreboard {
    private struct Entry {
        var sent = Instant.zero
        /// What had been delivered when it was sent, when that was, and when the first of those under way then was sent.
        var delivered = 0
        var deliveredAt = Instant.zero
        var firstSent = Instant.zero
        var isSacked = false
        var isLost = false
        /// Sent again and neither delivered nor lost since.
        var isResent = false
        var wasResent = false
    }

    /// What an ACK brought.
    struct News {
        /// Segments newly known to have arrived.
        var delivered = 0
        /// How far the cumulative ACK moved.
        var advanced = 0
        /// Round-trip time of the segment sent last among those that were sent once.
        var rtt: Interval?
        /// Whether the receiver got something twice.
        var isDuplicate = false
        /// The rate sample: what was delivered in how long, and what had been when the sampled segment left.
        var sampleCount = 0
        var sampleTime = Interval.zero
        var sampleBefore = 0
    }

    /// The oldest segment that is not acknowledged.
    private(set) var oldest = 0
    /// The next new segment.
    private(set) var next = 0
    /// Behind the highest segment that has arrived.
    private(set) var highest = 0
    private(set) var sacked = 0
    private(set) var lost = 0
    private(set) var resent = 0
    /// Segments that have arrived in all.
    private(set) var delivered = 0
    /// Whether segments arrived in another order than they left.
    private(set) var hasReordering = false
    /// By how many segments at most, at least Linux' tcp_reordering.
    private(set) var reordering = 3
    private(set) var minimumRTT = Interval(nanoseconds: .max)
    /// When the next segment counts as lost, if nothing comes.
    private(set) var lossDue = Instant.never

    private var entries: [Entry]
    private let mask: Int
    private var transmissions = TransmissionQueue()
    private var deliveredAt = Instant.zero
    private var firstSent = Instant.zero
    private var known: [Segment.Block] = []
    /// No segment below is lost and not sent again.
    private var resendHint = 0
    private var newest = (sent: Instant.zero, number: -1, rtt: Interval.zero)

    /// - Parameter window: segments, a power of two.
    init(window: Int) {
        entries = Array(repeating: Entry(), count: window)
        mask = window - 1
    }

    /// Segments under way, as far as is known.
    var inFlight: Int { next - oldest - sacked - lost + resent }
    /// Whether there is room for a new segment.
    var hasRoom: Bool { next - oldest < mask }

    // MARK: - Sending

    /// The lost segment that is to be sent again next.
    mutating func nextLost() -> Int? {
        guard lost > resent else { return nil }
        resendHint = max(resendHint, oldest)
        while resendHint < next {
            let entry = entries[resendHint & mask]
            if entry.isLost && !entry.isResent { return resendHint }
            resendHint += 1
        }
        return nil
    }

    /// A segment leaves: the next one, or an old one again.
    mutating func leave(_ number: Int, now: Instant) {
        if next == oldest {
            firstSent = now
            deliveredAt = now
        }
        let index = number & mask
        if number == next {
            entries[index] = Entry()
            next += 1
        } else {
            if entries[index].isLost && !entries[index].isResent { resent += 1 }
            entries[index].isResent = entries[index].isLost
            entries[index].wasResent = true
        }
        entries[index].sent = now
        entries[index].delivered = delivered
        entries[index].deliveredAt = deliveredAt
        entries[index].firstSent = firstSent
        transmissions.append(number, now)
    }

    // MARK: - ACKs

    mutating func take(_ ack: Segment, now: Instant) -> News {
        var news = News()
        let priorHighest = highest
        var lowest = Int.max
        var sample: Entry?
        var first = 0
        if let block = ack.blocks.first,
            block.end <= ack.acknowledged
                || ack.blocks.count > 1 && block.start >= ack.blocks[1].start
                    && block.end <= ack.blocks[1].end
        {
            news.isDuplicate = true
            first = 1
        }
        for block in ack.blocks.dropFirst(first) {
            var number = max(block.start, oldest)
            while number < min(block.end, next) {
                if let old = known.first(where: { $0.start <= number && number < $0.end }) {
                    number = old.end
                    continue
                }
                if !entries[number & mask].isSacked {
                    arrive(number, now, &news, &sample, &lowest)
                    entries[number & mask].isSacked = true
                    sacked += 1
                }
                number += 1
            }
            highest = max(highest, block.end)
        }
        known.removeAll(keepingCapacity: true)
        known.append(contentsOf: ack.blocks.dropFirst(first))
        let end = min(ack.acknowledged, next)
        while oldest < end {
            if entries[oldest & mask].isSacked {
                sacked -= 1
            } else {
                arrive(oldest, now, &news, &sample, &lowest)
            }
            oldest += 1
            news.advanced += 1
        }
        highest = max(highest, oldest)
        if lowest < priorHighest {
            // A hole was filled that was not sent again: that was no loss.
            hasReordering = true
            reordering = min(max(reordering, priorHighest - lowest), 300)
        }
        if let sample {
            news.sampleBefore = sample.delivered
            news.sampleCount = delivered - sample.delivered
            news.sampleTime = max(sample.sent - sample.firstSent, now - sample.deliveredAt)
            firstSent = sample.sent
            if let rtt = news.rtt { minimumRTT = min(minimumRTT, rtt) }
        }
        return news
    }

    private mutating func arrive(
        _ number: Int, _ now: Instant, _ news: inout News, _ sample: inout Entry?, _ lowest: inout Int
    ) {
        let entry = entries[number & mask]
        if entry.isLost {
            lost -= 1
            entries[number & mask].isLost = false
        }
        if entry.isResent {
            resent -= 1
            entries[number & mask].isResent = false
        }
        delivered += 1
        deliveredAt = now
        news.delivered += 1
        if !entry.wasResent {
            lowest = min(lowest, number)
            news.rtt = min(news.rtt ?? now - entry.sent, now - entry.sent)
        }
        if sample == nil || entry.sent > sample!.sent { sample = entry }
        let rtt = now - entry.sent
        // What comes so early answers the first transmission and not the second.
        if entry.wasResent && minimumRTT.nanoseconds < .max && rtt < minimumRTT { return }
        newest.rtt = rtt
        if (entry.sent, number) > (newest.sent, newest.number) {
            newest.sent = entry.sent
            newest.number = number
        }
    }

    // MARK: - Losses

    /// Marks as lost what was sent before something that has arrived, by more than a round trip and `tolerance` ago.
    /// - Returns: how many segments.
    mutating func markLost(tolerance: Interval, now: Instant) -> Int {
        var count = 0
        lossDue = .never
        while let (number, sent) = transmissions.first {
            let entry = entries[number & mask]
            let isOver =
                number < oldest || entry.sent != sent || entry.isSacked || entry.isLost && !entry.isResent
            if !isOver {
                guard (sent, number) < (newest.sent, newest.number) else { break }
                let deadline = sent + newest.rtt + tolerance
                guard deadline <= now else {
                    lossDue = deadline + .milliseconds(2)
                    break
                }
                markLost(number)
                count += 1
            }
            transmissions.removeFirst()
        }
        return count
    }

    /// After a timeout: what is under way for longer than a round trip is lost, the oldest segment in any case.
    mutating func markAllLost(now: Instant) {
        for number in oldest..<next {
            let entry = entries[number & mask]
            if entry.isSacked || entry.isLost && !entry.isResent { continue }
            if number == oldest || entry.sent + newest.rtt <= now { markLost(number) }
        }
        lossDue = .never
    }

    private mutating func markLost(_ number: Int) {
        if entries[number & mask].isResent {
            entries[number & mask].isResent = false
            resent -= 1
        }
        if !entries[number & mask].isLost {
            entries[number & mask].isLost = true
            lost += 1
        }
        resendHint = min(resendHint, number)
    }

    /// It was a mistake: nothing is lost.
    mutating func unmarkLost() {
        guard lost > 0 else { return }
        for number in oldest..<next where entries[number & mask].isLost && !entries[number & mask].isResent {
            entries[number & mask].isLost = false
            lost -= 1
        }
    }
}
