import Packet

/// The sending end of a QUIC connection that always has data (RFC 9002): losses are detected by three packets
/// or 9/8 of a round trip; Cubic, with pacing at 5/4 of the window, or BBR. Packets carry chunks of the stream; a lost
/// chunk is sent again in a new one.
struct QUICSender {
    private struct Entry {
        enum State { case flying, arrived, lost }
        var state = State.arrived
        var sent = Instant.zero
        var chunk = 0
        /// What a sample of the delivery rate takes from the time when it was sent, as in `Scoreboard`.
        var delivered = 0
        var deliveredAt = Instant.zero
        var firstSent = Instant.zero
    }

    /// RFC 9002, 6.1.1.
    private static let packetThreshold = 3
    private static let initialWindow = 10
    private static let leastWindow = 2
    private static let maximumAckDelay = Interval.milliseconds(25)

    private(set) var window = initialWindow
    private(set) var inFlight = 0
    /// The number of packets sent, of those declared lost, and of those among them that had arrived.
    private(set) var next = 0
    private(set) var lost = 0
    private(set) var spurious = 0

    private var entries: [Entry]
    private let mask: Int
    private var nextChunk = 0
    private var lostChunks: [Int] = []
    private var firstLostChunk = 0
    private var oldest = 0
    private var largest = -1
    private var known: [Segment.Block] = []
    private var lossAt = Instant.never
    private var probeAt = Instant.never
    private var probes = 0
    private var probeCount: Int64 = 0

    private var smoothed = Interval.zero
    private var variation = Interval.zero
    private var latest = Interval.zero
    private(set) var minimumRTT = Interval(nanoseconds: .max)

    private var cubic = Cubic()
    private var start = HyStartPlus()
    private var isSlowStart = true
    private var recoveryStart: Instant?
    private var paceAt = Instant.zero

    // BBR.
    private var control: BBR?
    private var threshold = Int.max
    private var delivered = 0
    private var deliveredAt = Instant.zero
    private var firstSent = Instant.zero
    private var burstEnd = Instant.zero
    private var lostBefore = 0
    private var isRecovering = false

    /// - Parameter control: BBR; nil for Cubic.
    init(window: Int = 16384, control: BBR? = nil) {
        self.control = control
        entries = Array(repeating: Entry(), count: window)
        mask = window - 1
    }

    /// The smoothed round-trip time; zero before the first sample.
    var rtt: Interval { smoothed }

    /// When to call `fire`, or when `leave` may have something.
    var due: Instant {
        min(min(lossAt, probeAt), inFlight < window && paceAt > .zero ? paceAt : .never)
    }

    private var probeTimeout: Interval {
        guard smoothed > .zero else { return .seconds(1) }
        return smoothed + max(variation * 4, .milliseconds(1)) + Self.maximumAckDelay
    }

    // MARK: - Sending

    /// The packet to send now and its chunk; nil if there is none.
    mutating func leave(now: Instant) -> (number: Int, chunk: Int)? {
        if probes > 0 {
            probes -= 1
        } else {
            guard inFlight < window, next - oldest < mask else { return nil }
            if control != nil {
                if paceAt <= now { burstEnd = now + .milliseconds(1) }
                guard paceAt < burstEnd else { return nil }
            } else {
                // A burst of at most ten packets (RFC 9002, 7.7).
                guard smoothed == .zero || paceAt <= now else { return nil }
            }
        }
        if let pace = control?.pace {
            paceAt = max(paceAt, now) + Interval(nanoseconds: Int64(1e9 / pace))
        } else if smoothed > .zero {
            let gap = Interval(nanoseconds: smoothed.nanoseconds * 4 / 5 / Int64(window))
            paceAt = max(paceAt, now - gap * 10) + gap
        }
        let chunk: Int
        if firstLostChunk < lostChunks.count {
            chunk = lostChunks[firstLostChunk]
            firstLostChunk += 1
            if firstLostChunk == lostChunks.count {
                lostChunks.removeAll(keepingCapacity: true)
                firstLostChunk = 0
            }
        } else {
            chunk = nextChunk
            nextChunk += 1
        }
        if inFlight == 0 { (firstSent, deliveredAt) = (now, now) }
        entries[next & mask] = Entry(
            state: .flying, sent: now, chunk: chunk, delivered: delivered, deliveredAt: deliveredAt,
            firstSent: firstSent)
        inFlight += 1
        probeAt = now + probeTimeout * (1 << min(probeCount, 6))
        defer { next += 1 }
        return (next, chunk)
    }

    // MARK: - Time and ACKs

    mutating func fire(now: Instant) {
        if lossAt <= now { findLosses(now) }
        if probeAt <= now {
            probeCount += 1
            probes = 2
            probeAt = now + probeTimeout * (1 << min(probeCount, 6))
        }
    }

    /// Handles an ACK: the ranges of packets that have arrived, the highest first, and the receiver's delay.
    mutating func take(_ ranges: [Segment.Block], delay: Interval, now: Instant) {
        guard let first = ranges.first else { return }
        var count = 0
        var grows = 0
        let priorInFlight = inFlight
        var sample: Entry?
        let isNewest = first.end - 1 > largest
        largest = max(largest, first.end - 1)
        if isNewest, entries[largest & mask].state == .flying {
            update(now - entries[largest & mask].sent, delay)
        }
        for range in ranges {
            var number = max(range.start, next - mask)
            while number < range.end {
                if let old = known.first(where: { $0.start <= number && number < $0.end }) {
                    number = old.end
                    continue
                }
                let entry = entries[number & mask]
                if entry.state == .flying {
                    inFlight -= 1
                    count += 1
                    if entry.sent >= sample?.sent ?? .zero { sample = entry }
                    if recoveryStart.map({ entry.sent > $0 }) ?? true { grows += 1 }
                } else if entry.state == .lost {
                    spurious += 1
                }
                entries[number & mask].state = .arrived
                number += 1
            }
        }
        known = ranges
        if count > 0 {
            probeCount = 0
            probeAt = now + probeTimeout
        }
        let wasLimited = inFlight + count >= window
        findLosses(now)
        if control != nil {
            judge(count, grows, sample, isNewest, priorInFlight, now)
        } else if grows > 0 && wasLimited {
            grow(grows, now)
        }
    }

    /// Has BBR set the window and the pace.
    private mutating func judge(
        _ count: Int, _ grows: Int, _ sample: Entry?, _ isNewest: Bool, _ priorInFlight: Int, _ now: Instant
    ) {
        var news = Scoreboard.News()
        news.delivered = count
        news.rtt = isNewest ? latest : nil
        if let sample {
            delivered += count
            deliveredAt = now
            news.sampleBefore = sample.delivered
            news.sampleCount = delivered - sample.delivered
            news.sampleTime = max(sample.sent - sample.firstSent, now - sample.deliveredAt)
            firstSent = sample.sent
        }
        if grows > 0 && lost == lostBefore { isRecovering = false }
        let summary = ACKSummary(
            now: now, news: news, state: isRecovering ? .recovery : .open, lost: lost - lostBefore,
            acknowledged: oldest, next: next, delivered: delivered, inFlight: inFlight,
            priorInFlight: priorInFlight, minimumRTT: minimumRTT, mayGrow: true)
        lostBefore = lost
        control?.acknowledge(summary, window: &window, threshold: &threshold)
    }

    private mutating func update(_ sample: Interval, _ delay: Interval) {
        latest = sample
        minimumRTT = min(minimumRTT, sample)
        let adjusted = sample - delay >= minimumRTT ? sample - delay : sample
        guard smoothed > .zero else {
            smoothed = adjusted
            variation = adjusted / 2
            return
        }
        let deviation = adjusted < smoothed ? smoothed - adjusted : adjusted - smoothed
        variation = variation * 3 / 4 + deviation / 4
        smoothed = smoothed * 7 / 8 + adjusted / 8
    }

    private mutating func grow(_ acked: Int, _ now: Instant) {
        if isSlowStart {
            if let growth = start.growth(acked: acked, rtt: latest, acknowledged: largest, next: next) {
                window += growth
                return
            }
            isSlowStart = false
        }
        window += cubic.growth(window: window, acked: acked, minimumRTT: minimumRTT, now: now)
    }

    private mutating func findLosses(_ now: Instant) {
        lossAt = .never
        let patience = max(max(latest, smoothed) * 9 / 8, .milliseconds(1))
        while oldest < next {
            let entry = entries[oldest & mask]
            if entry.state == .flying {
                guard oldest < largest else { break }
                if oldest > largest - Self.packetThreshold && entry.sent + patience > now {
                    lossAt = entry.sent + patience
                    break
                }
                entries[oldest & mask].state = .lost
                inFlight -= 1
                lost += 1
                lostChunks.append(entry.chunk)
                if recoveryStart.map({ entry.sent > $0 }) ?? true {
                    recoveryStart = now
                    isSlowStart = false
                    isRecovering = true
                    guard control == nil else {
                        _ = control?.shrink(window)
                        oldest += 1
                        continue
                    }
                    window = max(cubic.shrink(window), Self.leastWindow)
                }
            }
            oldest += 1
        }
    }
}
