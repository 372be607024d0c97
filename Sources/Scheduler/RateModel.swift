import Packet

/// The rate that one path carries in one direction, learnt from ACK frames alone, and how fast to send into
/// it.
///
/// The idea is BBR's (draft-ietf-ccwg-bbr): the largest delivery rate of the last 10 round trips is the
/// path's rate, and probing finds more. Retransmission plays no part. Random loss is not congestion; a rise
/// of the one-way delay is. A sample is the amount that arrived between two ACKs, over the longer of the time
/// it took to leave and to arrive, so that neither a compressed ACK nor a late reader makes it larger than
/// the amount sent.
public struct RateModel: ~Copyable, Sendable {
    /// Phase of the search for the path's rate.
    public enum Phase: UInt8, Sendable {
        /// Doubling until the delay rises.
        case startup
        /// Draining the queue that start-up built.
        case drain
        /// Sending at the path's rate.
        case steady
        /// Sending a quarter more for one round trip.
        case probe
    }

    /// Bytes that each datagram costs on the link in addition to its UDP payload: IPv4, UDP and Ethernet
    /// headers. Without them a path full of small packets would be paced above its rate.
    public static let datagramOverhead = 42
    /// More than any host can seal, in bytes a second: 100 Gbit/s.
    private static let highestRate = 12.5e9

    /// A reduction of the rate because of a long standing queue.
    private struct Slowing: Sendable {
        var at: Instant
        var standing: Interval
        /// Rate before the reduction, in bytes a second.
        var rate: Int64
    }

    /// The current phase of the search.
    public private(set) var phase = Phase.startup
    /// A cap set by hand, in bytes a second; `nil` if there is none.
    public var cap: Double?

    private var filter = WindowedExtremum(window: .seconds(1), keeps: .maximum)
    private let pinned = Pinned()
    private var history = DeliveryHistory()
    private var phaseEnds = Instant.zero
    private var nextProbe = Instant.zero
    /// Since when every sample has shown a queue; `nil` if the last one did not.
    private var congestedSince: Instant?
    /// Since when there has been data to send and no significant queue: the path carries more than it is
    /// given.
    private var unfilledSince: Instant?
    private var probeGain = 1.25
    private var bestInStartup = 0.0
    private var flatRounds = 0
    private var roundEnds = Instant.zero
    private var recentQueueing: UInt8 = 0
    private var slowedUntil = Instant.zero
    private var slowing: Slowing?
    private var isCongested = false
    /// Arrival rate of the last sample, in bytes a second.
    private var arriving = 0.0
    /// Whether the last sample arrived more slowly than it left.
    private var isStretched = false
    /// Whether the last sample arrived far more slowly than it left, and left a queue: a burst has filled the
    /// path.
    private var isOverrun = false
    /// Whether the last sample says anything about the path's rate.
    private var isTested = false
    private var doubtsFloor = false
    private var hasStaleFloor = false
    private var rateBeforeProbe = 0.0
    private var standingBeforeProbe = Interval.zero
    /// Whether the rate was ever measured with enough data to send. PINGs alone also yield a rate, but a tiny
    /// one.
    private var hasBulkSample = false

    /// Nothing known yet: start-up from about 16 datagrams per round trip.
    public init() {}

    /// Whether the rate was measured with enough data to send, and not merely guessed from a little.
    public var isMeasured: Bool { hasBulkSample && phase != .startup }

    /// The path's rate in bytes a second, as far as known and within the cap; `nil` before the first sample.
    public var rate: Double? {
        guard let value = filter.value else { return nil }
        return min(Double(value), cap ?? .infinity)
    }

    /// The rate to plan with before anything is known: 16 datagrams per round trip, 1 to 100 Mbit/s.
    public func plannedRate(_ rtt: borrowing RoundTripTime) -> Double {
        if let rate, phase != .startup { return rate }
        // In start-up the little that was sent so far does not show the path's rate.
        return min(max(initialRate(rtt), rate ?? 0), cap ?? .infinity)
    }

    /// The rate used to choose among paths. While a path is being probed this includes the probe's gain,
    /// because the extra traffic is how a higher rate is found.
    public func offeredRate(_ rtt: borrowing RoundTripTime) -> Double {
        phase == .probe ? min(plannedRate(rtt) * probeGain, cap ?? .infinity) : plannedRate(rtt)
    }

    private func initialRate(_ rtt: borrowing RoundTripTime) -> Double {
        min(max(16 * 1452 / max(rtt.smoothed.seconds, 0.002), 125_000), 12_500_000)
    }

    /// The rate to send at now, in bytes a second.
    public func pacingRate(_ rtt: borrowing RoundTripTime) -> Double {
        let gain =
            switch phase {
            case .startup: 2.77  // 4 ln 2, BBR's: doubles the delivered rate each round trip
            case .drain: 0.6
            case .probe: probeGain
            case .steady: isCongested ? 0.93 : 1.0  // the difference empties a standing queue
            }
        return min(max(plannedRate(rtt) * gain, 12_500), cap ?? .infinity)
    }

    /// Maximum number of bytes in flight: twice the path's capacity, as ACKs are up to 25 ms late.
    public func inflightLimit(_ rtt: borrowing RoundTripTime) -> Int {
        let gain = phase == .startup ? 3.0 : 2.0
        let held = plannedRate(rtt) * (rtt.minimum.seconds + 0.025)
        return max(Int(saturating: held * gain), 32 * 1500)
    }

    /// Takes the result of one ACK frame.
    /// - Parameters:
    ///   - sent: when the highest acknowledged datagram left, on our clock.
    ///   - received: when it arrived, on the peer's clock.
    ///   - bytes: total that has arrived on the path, with `datagramOverhead` for each datagram.
    ///   - left: total that had left on it by `sent`, counted the same way; modulo 2³².
    ///   - starved: whether, around that time, the path could have sent more but had nothing to send.
    ///   - loss: share of the last datagrams that were lost, 0 to 1.
    public mutating func record(
        sent: Instant, received: Instant, bytes: UInt64, left: UInt32, starved: Bool, loss: Double,
        delay: borrowing DelayModel, rtt: borrowing RoundTripTime, now: Instant
    ) {
        // Jitter stretches and squeezes samples: the longer the span, the smaller its effect.
        let span = min(max(rtt.smoothed, .milliseconds(20), delay.jitter * 10), .milliseconds(200))
        let sample = history.record(sent: sent, received: received, bytes: bytes, left: left, span: span)
        let known = Double(filter.value ?? 0)
        // A path that carries a fraction of its rate builds no queue: an apparent queue is the jitter of a
        // radio link, or other users' traffic. A few PINGs must not make us forget the path's rate.
        if !starved || loss > 0.15 {
            isTested = true
        } else if let sample {
            isTested = sample.delivered * 4 > known
        }
        isCongested = isTested && delay.showsQueue(rtt)
        isOverrun = false
        isStretched = false
        congestedSince = isCongested ? congestedSince ?? now : nil
        let noQueue = max(.microseconds(1500), min(delay.jitter, delay.idleSpread / 4))
        unfilledSince = starved || delay.standing > noQueue ? nil : unfilledSince ?? now
        recentQueueing = recentQueueing << 1 | (isTested && delay.standing > .milliseconds(30) ? 1 : 0)
        filter.window = max(rtt.smoothed * 10, .milliseconds(500))
        if let sample {
            // Only a full path shows its limit: it was given its known rate, or more if it has a queue, and
            // delivered less. Our own queue having been empty now and then is irrelevant if we send faster
            // than the path carries.
            arriving = sample.arriving
            isStretched = sample.arriving < sample.sending * 0.95
            isOverrun = isCongested && sample.arriving < sample.sending * (isJittery(delay) ? 0.7 : 0.85)
            let wasGiven = sample.sending > known * 0.98
            let wasFull =
                wasGiven && !starved || isStretched && (isCongested || loss > 0.15)
                || staysCongested(rtt, now: now) && wasGiven
            hasBulkSample = hasBulkSample || !starved
            if wasFull || sample.delivered > known {
                filter.record(Int64(saturating: min(max(sample.delivered, 0), Self.highestRate)), now: now)
            }
        }
        turn(starved: starved, delay: delay, rtt: rtt, now: now)
    }

    /// Whether the delay has stayed above its minimum although the path had time to drain: a longer route or
    /// a slower link. The caller must restart the minimum. Returns true once.
    public mutating func takeStaleFloor() -> Bool {
        defer { hasStaleFloor = false }
        return hasStaleFloor
    }

    /// Restarts a path that was down, at half its previous rate.
    public mutating func halve(now: Instant) {
        if let value = filter.value { filter.reset(to: value / 2, now: now) }
        phase = .startup
        bestInStartup = 0
        flatRounds = 0
        congestedSince = nil
        unfilledSince = nil
        isCongested = false
        hasBulkSample = false
        history = DeliveryHistory()
    }

    private mutating func turn(
        starved: Bool, delay: borrowing DelayModel, rtt: borrowing RoundTripTime, now: Instant
    ) {
        let round = rtt.smoothed + .milliseconds(10)
        // A path that jitters shows its rate only after a while.
        let trial = max(round, min(max(delay.idleSpread, delay.jitter * 4) * 8, .milliseconds(240)))
        // A delay that jitters is not a queue.
        let isBacklogged = isCongested && delay.standing > max(.milliseconds(20), delay.jitter * 4)
        // A queue of more than 30 ms in half of the last six samples: the path carries less than it did.
        if (recentQueueing & 0b11_1111).nonzeroBitCount >= 3 && now >= slowedUntil && phase != .drain
            && phase != .startup, let value = filter.value
        {
            slow(from: value, delay: delay, now: now)
            slowedUntil = now + round * 2
            // Where delays vary, the next sample would undo the cut, so the queue itself has to drain. And
            // after a sudden drop of a link's rate the excess would otherwise stand for seconds.
            begin(isJittery(delay) || isOverrun ? .drain : .steady, now: now)
            phaseEnds = now + min(round * 3, delay.standing * 5 / 2)
        }
        switch phase {
        case .startup:
            if now >= roundEnds {
                roundEnds = now + round
                let best = Double(filter.value ?? 0)
                flatRounds = starved || best > bestInStartup * 1.25 ? 0 : flatRounds + 1
                bestInStartup = max(bestInStartup, best)
            }
            let isBulk = Double(filter.value ?? 0) > initialRate(rtt)
            // A path that jitters without any load shows delays that look like a queue at once.
            let isFull =
                staysCongested(rtt, now: now) && (!starved && hasBulkSample || isBulk)
                && !isJittery(delay)
            if isFull || isOverrun && isBulk || flatRounds >= 3 && hasBulkSample {
                begin(.drain, now: now)
                phaseEnds = now + round * 3
            }
        case .drain:
            if !isCongested || now >= phaseEnds {
                hasStaleFloor = isCongested && doubtsFloor
                doubtsFloor = false
                congestedSince = nil
                begin(.steady, now: now)
            }
        case .steady where congestedSince.map { now - $0 > max(round * 5, .milliseconds(600)) } ?? false:
            // Sending less has not removed the queue: one more attempt, and then it is not a queue.
            doubtsFloor = true
            begin(.drain, now: now)
            phaseEnds = now + max(round * 3, .milliseconds(250))
        case .steady:
            let isUnfilled = unfilledSince.map { now - $0 > max(round * 10, .milliseconds(120)) } ?? false
            if (now >= nextProbe && !isBacklogged || isUnfilled && !isCongested) && !starved {
                standingBeforeProbe = delay.standing
                probeGain = 1.25
                unfilledSince = nil
                rateBeforeProbe = Double(filter.value ?? 0)
                begin(.probe, now: now)
                phaseEnds = now + trial
            }
        case .probe:
            if isCongested
                && delay.standing > standingBeforeProbe
                    + max(.milliseconds(5), rtt.smoothed / 10, delay.jitter * 4)
            {
                begin(.steady, now: now)
            } else if now >= phaseEnds {
                let grew = Double(filter.value ?? 0) > rateBeforeProbe * 1.05
                // If the path carried all of a quarter more, there may be much more.
                probeGain = Double(filter.value ?? 0) > rateBeforeProbe * 1.18 ? 2 : 1.25
                begin(grew ? .probe : .steady, now: now)
                rateBeforeProbe = Double(filter.value ?? 0)
                phaseEnds = now + trial
            }
        }
    }

    /// Reacts to a long queue: the path's rate has dropped, or its route has become longer.
    private mutating func slow(from value: Int64, delay: borrowing DelayModel, now: Instant) {
        // A queue that does not shrink when we send less, while everything sent arrives, is a longer route,
        // such as a satellite's hand-over.
        if let last = slowing, now - last.at >= .seconds(1) { slowing = nil }
        if let last = slowing, !isStretched, delay.standing > last.standing * 4 / 5 {
            filter.reset(to: max(last.rate, value), now: now)
            hasStaleFloor = true
            slowing = nil
            return
        }
        // If much less arrives than leaves, the arrival rate is the path's rate.
        let shown = isOverrun ? max(Int64(saturating: arriving), value / 4) : value
        slowing =
            isOverrun ? nil : Slowing(at: now, standing: delay.standing, rate: slowing == nil ? value : 0)
        filter.reset(to: min(value * 85 / 100, shown), now: now)
    }

    /// Whether the queue has lasted long enough to be real: half a round trip, and longer than a host that
    /// was briefly busy explains.
    private func staysCongested(_ rtt: borrowing RoundTripTime, now: Instant) -> Bool {
        congestedSince.map { now - $0 >= max(rtt.smoothed / 2, .milliseconds(10)) } ?? false
    }

    private func isJittery(_ delay: borrowing DelayModel) -> Bool { delay.idleSpread >= .milliseconds(3) }

    private mutating func begin(_ next: Phase, now: Instant) {
        phase = next
        if next == .steady { nextProbe = now + .milliseconds(2000) }
    }
}
