import Packet

/// A TCP sender's knowledge of the segments in flight: which have arrived, which are lost judging by elapsed
/// time (RACK, RFC 8985, as in Linux), and the delivery rate.
struct Scoreboard {
    private struct Entry {
        var sent = Instant.zero
        /// The delivered count when it was sent, the time of that count, and when the first segment in flight
        /// was sent.
        var delivered = 0
        var deliveredAt = Instant.zero
        var firstSent = Instant.zero
        var isSacked = false
        var isLost = false
        /// Retransmitted, and neither delivered nor lost since.
        var isResent = false
        var wasResent = false
    }

    /// The effect of an ACK.
    struct News {
        /// Segments newly known to have arrived.
        var delivered = 0
        /// How far the cumulative ACK moved.
        var advanced = 0
        /// Round-trip time of the most recently sent segment among those sent only once.
        var rtt: Interval?
        /// Whether the receiver reported a duplicate.
        var isDuplicate = false
        /// The rate sample: the number delivered, the time it took, and the count when the sampled segment was
        /// sent.
        var sampleCount = 0
        var sampleTime = Interval.zero
        var sampleBefore = 0
    }

    /// The oldest unacknowledged segment.
    private(set) var oldest = 0
    /// The next new segment.
    private(set) var next = 0
    /// One above the highest segment that has arrived.
    private(set) var highest = 0
    private(set) var sacked = 0
    private(set) var lost = 0
    private(set) var resent = 0
    /// The total number of segments that have arrived.
    private(set) var delivered = 0
    /// Whether segments have arrived out of order.
    private(set) var hasReordering = false
    /// The maximum reordering distance in segments, at least Linux' tcp_reordering.
    private(set) var reordering = 3
    private(set) var minimumRTT = Interval(nanoseconds: .max)
    /// When the next segment counts as lost if no ACK arrives.
    private(set) var lossDue = Instant.never

    private var entries: [Entry]
    private let mask: Int
    private var transmissions = TransmissionQueue()
    private var deliveredAt = Instant.zero
    private var firstSent = Instant.zero
    private var known: [Segment.Block] = []
    /// No segment below this is lost and not retransmitted.
    private var resendHint = 0
    private var newest = (sent: Instant.zero, number: -1, rtt: Interval.zero)

    /// - Parameter window: segments, a power of two.
    init(window: Int) {
        entries = Array(repeating: Entry(), count: window)
        mask = window - 1
    }

    /// The estimated number of segments in flight.
    var inFlight: Int { next - oldest - sacked - lost + resent }
    /// Whether there is room for a new segment.
    var hasRoom: Bool { next - oldest < mask }

    // MARK: - Sending

    /// The next lost segment to retransmit.
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

    /// Records that a segment is sent: the next one, or a retransmission.
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
            // A hole was filled without a retransmission: it was not a loss.
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
        // An ACK this early is for the original transmission, not for the retransmission.
        if entry.wasResent && minimumRTT.nanoseconds < .max && rtt < minimumRTT { return }
        newest.rtt = rtt
        if (entry.sent, number) > (newest.sent, newest.number) {
            newest.sent = entry.sent
            newest.number = number
        }
    }

    // MARK: - Losses

    /// Marks as lost the segments sent more than a round trip and `tolerance` before another that has arrived.
    /// - Returns: the number of segments.
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

    /// After a timeout, marks as lost all segments in flight for longer than a round trip, and the oldest one
    /// in any case.
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

    /// Undoes the marking: nothing is lost.
    mutating func unmarkLost() {
        guard lost > 0 else { return }
        for number in oldest..<next where entries[number & mask].isLost && !entries[number & mask].isResent {
            entries[number & mask].isLost = false
            lost -= 1
        }
    }
}
