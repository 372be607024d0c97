import Packet

/// The rate that one path carries in one direction, learnt from ACK frames alone, and how fast to send into
/// it.
///
/// A controller of the standing queue. While a queue stands, data arrives at the rate that the path carries;
/// the pacing rate is that, corrected so that the queue approaches its target. Without a queue the path carries
/// more than it is given: the rate grows, the faster the longer there was none. Both are known from the
/// feedback of one round trip, so that a new rate is found within two. The queue is the rise of the one-way
/// delay over its minimum, as in LEDBAT (RFC 6817) and Copa (NSDI 2018). Loss alone is a sign of congestion only
/// where it follows the rate (`LossBound`).
public struct RateModel: ~Copyable, Sendable {
    /// Phase of the search for the path's rate.
    public enum Phase: UInt8, Sendable {
        /// Doubling until a queue stands.
        case startup
        /// Sending markedly less than the path carries, to drain a queue.
        case drain
        /// Sending at the path's rate.
        case steady
        /// Sending markedly more, because no queue stands.
        case probe
    }

    /// Bytes that each datagram costs on the link in addition to its UDP payload: IPv4, UDP and Ethernet
    /// headers. Without them a path full of small packets would be paced above its rate.
    public static let datagramOverhead = 42
    /// The lowest rate, in bytes a second: half of a throttle of 64 kbit/s.
    private static let lowestRate = 4000.0
    /// 4 ln 2, BBR's: doubles the delivered rate each round trip.
    private static let startupGain = 2.77
    /// The gain after start-up or a reduction, until the next ACK: drains what was sent too much.
    private static let drainGain = 0.6
    /// The lowest and the highest gain while a queue stands.
    private static let (lowestGain, highestGain) = (0.5, 1.1)
    /// What remains of the rate when the queue shared with a neighbor overflows.
    private static let yield = 0.85
    /// The gain after so many rounds without a queue.
    private static let growth: InlineArray<5, Double> = [1, 1.1, 1.25, 1.5, 2]

    private enum State: Sendable {
        case searching(Search)
        /// - emptySince: since when there has been data to send and no queue.
        case following(gain: Double, emptySince: Instant?)
    }

    /// The progress of start-up.
    private struct Search: Sendable {
        /// Highest rate at the end of a round, in bytes a second.
        var best = 0.0
        /// Rounds running that did not raise it.
        var flatRounds = 0
        var roundEnds = Instant.zero
        /// Since when every sample has shown a queue.
        var fullSince: Instant?
    }

    /// A cap set by hand, in bytes a second; `nil` if there is none.
    public var cap: Double?

    private var state = State.searching(Search())
    private var history = DeliveryHistory()
    private var lossBound = LossBound()
    private var routeDoubt = RouteDoubt()
    private let pinned = Pinned()
    /// Bytes a second that the path carries; 0 before the first sample.
    private var capacity = 0.0
    private var recordedAt = Instant.zero
    private var hasStaleFloor = false
    /// Whether the rate was ever measured with enough data to send. PINGs alone also yield a rate, but a tiny
    /// one.
    private var hasBulkSample = false

    /// Nothing known yet: start-up from about 16 datagrams per round trip.
    public init() {}

    /// The current phase of the search.
    public var phase: Phase {
        switch state {
        case .searching: .startup
        case .following(let gain, _): gain > 1.1 ? .probe : gain < 0.9 ? .drain : .steady
        }
    }

    private var isSearching: Bool {
        if case .searching = state { true } else { false }
    }

    private var gain: Double {
        if case .following(let gain, _) = state { gain } else { Self.startupGain }
    }

    /// Whether the rate was measured with enough data to send, and not merely guessed from a little.
    public var isMeasured: Bool { hasBulkSample && !isSearching }

    /// The path's rate in bytes a second, as far as known and within the cap; `nil` before the first sample.
    public var rate: Double? {
        capacity > 0 ? min(capacity, lossBound.ceiling ?? .infinity, cap ?? .infinity) : nil
    }

    /// The rate to plan with before anything is known: 16 datagrams per round trip, 1 to 100 Mbit/s.
    public func plannedRate(_ rtt: borrowing RoundTripTime) -> Double {
        if let rate, !isSearching { return rate }
        // In start-up the little that was sent so far does not show the path's rate.
        return min(max(initialRate(rtt.smoothed), rate ?? 0), cap ?? .infinity)
    }

    /// The rate used to choose among paths. While more than the known rate is sent, it includes that, because
    /// the extra traffic is how a higher rate is found.
    public func offeredRate(_ rtt: borrowing RoundTripTime) -> Double {
        isSearching ? plannedRate(rtt) : min(plannedRate(rtt) * max(gain, 1), cap ?? .infinity)
    }

    private func initialRate(_ roundTrip: Interval) -> Double {
        min(max(16 * 1452 / max(roundTrip.seconds, 0.002), 125_000), 12_500_000)
    }

    /// The rate to send at now, in bytes a second.
    public func pacingRate(_ rtt: borrowing RoundTripTime) -> Double {
        min(max(plannedRate(rtt) * gain, Self.lowestRate), cap ?? .infinity)
    }

    /// Maximum number of bytes in flight: twice the path's capacity, as ACKs are up to 25 ms late.
    public func inflightLimit(_ rtt: borrowing RoundTripTime) -> Int {
        let held = plannedRate(rtt) * (rtt.minimum.seconds + 0.025)
        return max(Int(saturating: held * (isSearching ? 3 : 2)), 32 * 1500)
    }

    /// Whether the delay has stayed above its minimum although the path had time to drain: a longer route. The
    /// caller must restart the minimum. Returns true once.
    public mutating func takeStaleFloor() -> Bool {
        defer { hasStaleFloor = false }
        return hasStaleFloor
    }

    /// Restarts a path that was down, at half its previous rate.
    public mutating func halve(now: Instant) {
        capacity /= 2
        state = .searching(Search())
        hasBulkSample = false
        lossBound = LossBound()
        routeDoubt = RouteDoubt()
        history = DeliveryHistory()
    }

    /// Takes the result of one ACK frame.
    public mutating func record(
        _ arrivals: Arrivals, delay: borrowing DelayModel, rtt: borrowing RoundTripTime, now: Instant
    ) {
        // Jitter stretches and squeezes samples: the longer the span, the smaller its effect.
        let span = min(max(rtt.smoothed, .milliseconds(20), delay.jitter * 10), .milliseconds(200))
        let sample = history.record(arrivals, span: span)
        let verdict = lossBound.count(
            arrivals, roundTrip: rtt.smoothed, isProbing: gain > 1.02,
            hasQueue: delay.standing > max(Observation.leastTarget, delay.jitter),
            patience: isSearching ? 1 : 2, now: now)
        if case .unrelated(let before) = verdict { capacity = max(capacity, before) }
        guard let sample else { return }
        let observation = Observation(
            sample, known: capacity, isStarved: arrivals.isStarved,
            isContested: routeDoubt.isContested(now: now), span: span, delay: delay, rtt: rtt, now: now)
        hasBulkSample = hasBulkSample || !arrivals.isStarved
        let elapsed = min(max((now - recordedAt).seconds, 0), 0.2)
        recordedAt = now
        if case .excessive(let share) = verdict, reduce(observation, lost: share) { return }
        switch state {
        case .searching(var search):
            capacity = max(capacity, observation.delivered)
            if ends(&search, observation) {
                // Sending less drains the queue that start-up built.
                state = .following(gain: Self.drainGain, emptySince: nil)
                if observation.queue > observation.significant {
                    capacity = min(capacity, observation.arriving)
                }
            } else {
                state = .searching(search)
            }
        case .following(_, var emptySince):
            follow(observation, &emptySince, elapsed: elapsed)
            let gain = steer(observation, emptySince)
            state = .following(gain: gain, emptySince: emptySince)
            doubtQueue(observation, gain: gain)
        }
    }

    /// Has the delay's minimum measured again if the queue is not ours.
    private mutating func doubtQueue(_ o: Observation, gain: Double) {
        let isCertain = routeDoubt.heed(
            o.queue, isReduced: gain < 0.97 && abs(o.share - 1) <= o.tolerance,
            patience: max((o.roundTrip + .milliseconds(10)) * 3, .milliseconds(250)), now: o.now)
        guard isCertain else { return }
        hasStaleFloor = true
        // Another route has other limits.
        lossBound = LossBound()
    }

    /// Reduces the rate to what arrives, because the path loses more than it usually does.
    /// - Returns: whether that is all to learn from this observation.
    private mutating func reduce(_ o: Observation, lost: Double) -> Bool {
        if routeDoubt.isContested(now: o.now) {
            // The neighbor's queue is full, which sets no bound. CUBIC gives way by 30 %, and often only one
            // of the two loses.
            capacity = max(capacity * Self.yield, min(o.arriving, capacity))
            lossBound.forgive(now: o.now)
            return false
        }
        let before = capacity
        // A starved path sends in bursts that carry more than its arrival rate shows.
        let shown = o.isStarved ? max(o.arriving, capacity * 0.7) : o.arriving
        capacity = min(capacity, max(shown, Self.lowestRate))
        lossBound.reduce(from: before, to: capacity, share: lost, now: o.now)
        state = .following(gain: Self.drainGain, emptySince: nil)
        return true
    }

    /// Whether start-up is over: a queue stays, far less arrives than leaves, or three rounds brought no more.
    private func ends(_ search: inout Search, _ o: Observation) -> Bool {
        let isFull = isTested(o) && o.queue > o.significant
        search.fullSince = isFull ? search.fullSince ?? o.now : nil
        if o.now >= search.roundEnds {
            search.roundEnds = o.now + o.roundTrip + .milliseconds(10)
            search.flatRounds = o.isStarved || capacity > search.best * 1.25 ? 0 : search.flatRounds + 1
            search.best = max(search.best, capacity)
        }
        let isBulk = capacity > initialRate(o.roundTrip)
        let stays = search.fullSince.map { o.now - $0 >= max(o.roundTrip / 4, .milliseconds(10)) } ?? false
        return stays && (!o.isStarved && hasBulkSample || isBulk) || isFull && o.share < 0.75 && isBulk
            || search.flatRounds >= 3 && hasBulkSample
    }

    /// Whether the path carries enough of our data that a queue is our own.
    private func isTested(_ o: Observation) -> Bool { !o.isStarved || o.delivered * 4 > capacity }

    /// Follows the path's capacity.
    private mutating func follow(_ o: Observation, _ emptySince: inout Instant?, elapsed: Double) {
        if isTested(o) && o.queue > o.target / 2 {
            emptySince = nil
            // If all that is sent arrives, either the path carries just that, or there is no queue but a longer
            // route.
            if abs(o.share - 1) > o.tolerance || o.arriving > capacity {
                let weight = min(elapsed / (min(o.roundTrip.seconds, 0.2) / 3 + 0.005), 1)
                capacity += (o.arriving - capacity) * weight
            }
        } else {
            emptySince = o.isStarved ? nil : emptySince ?? o.now
            capacity = max(capacity, o.delivered)
            lossBound.learn(delivered: o.delivered, now: o.now)
        }
        capacity = min(max(capacity, Self.lowestRate), Observation.highestRate)
    }

    /// The gain by how far the queue is from its target, or by how long there was none.
    private func steer(_ o: Observation, _ emptySince: Instant?) -> Double {
        // The effect of a correction shows after a round trip and the 40 ms over which the queue is measured;
        // spread over twice that, the loop is stable.
        let horizon = (o.roundTrip * 2 + .milliseconds(80)).seconds
        let correction = (o.target.seconds - max(o.queue.seconds, 0)) / horizon
        let gain = isTested(o) ? min(max(1 + correction, Self.lowestGain), Self.highestGain) : 1
        if let bounded = lossBound.gain(isOpen: emptySince != nil, now: o.now) {
            return bounded > 1 ? bounded : min(gain, bounded)
        }
        guard let emptySince else { return gain }
        let rounds = (o.now - emptySince).seconds / (o.roundTrip.seconds + 0.01)
        return max(gain, Self.growth[min(Int(saturating: rounds), Self.growth.count - 1)])
    }
}
