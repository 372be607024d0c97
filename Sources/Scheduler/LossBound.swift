import Packet

/// The rate above which a path loses packets although no queue stands: a policer, or a buffer too shallow to
/// show a queue.
///
/// Loss that follows the rate is congestion, and any other is the radio's. So excessive loss reduces the rate to
/// the rate of arrival, and if the share lost stays the same at lower rates, the reduction is taken back. A rate
/// that failed is remembered, as `inflight_hi` of BBRv3 is (draft-ietf-ccwg-bbr): a higher one is tried after a
/// pause that doubles with each failure, so that the trials of a steady policer cost next to nothing.
struct LossBound: Sendable {
    /// What the datagrams of a window show.
    enum Verdict: Equatable {
        /// Nothing new.
        case usual
        /// The path lost this share of them, 0 to 1, more than it usually does: less must be sent.
        case excessive(share: Double)
        /// Sending less has not helped: the rate from before the reductions, in bytes a second.
        case unrelated(before: Double)
    }

    /// Reductions after which the share lost must have fallen.
    private struct Test {
        /// Rate before the first of them, in bytes a second.
        var before: Double
        /// Share lost before the last of them.
        var share: Double
        var reductions = 1
    }

    private static let (shortestPause, longestPause) = (Interval.milliseconds(200), Interval.seconds(30))
    /// A failed rate is remembered for this long.
    private static let memory = Interval.seconds(60)
    /// The smallest excess over the usual share that counts: BBRv3's loss threshold.
    private static let margin = 0.02
    /// The excess that may remain after a reduction.
    private static let residue = 0.01
    /// Share of the bound that is sent while it holds, so that a policer's bucket fills a little.
    private static let hold = 0.98
    /// What a trial sends relative to the bound, and how much must arrive for it to succeed.
    private static let (trial, success) = (1.25, 1.1)
    /// Reductions without effect after which the loss is the radio's. One is not enough: a bucket that is not
    /// quite empty lets more arrive than its rate.
    private static let enough = 3

    /// The highest rate that is known not to be lost, in bytes a second; `nil` if the path has shown no bound.
    private(set) var ceiling: Double?
    private var window = LossWindow()
    /// The share of the datagrams that is lost while nothing is tried, and its mean deviation. Until windows
    /// have been seen, less than a sixth may be the radio's.
    private var (usual, deviation) = (0.0, 0.04)
    /// Windows running with excessive loss.
    private var excesses = 0
    private var test: Test?
    private var retryAt = Instant.zero
    private var pause = Self.shortestPause
    private var failed = (rate: 0.0, at: Instant.zero)

    /// Counts the datagrams of an ACK.
    /// - Parameters:
    ///   - isProbing: whether more is sent than the path is known to carry, so that the loss is not the usual.
    ///   - hasQueue: whether a queue stands, which explains losses.
    ///   - patience: how many windows running must show excessive loss. One may be a burst.
    mutating func count(
        _ arrivals: Arrivals, roundTrip: Interval, isProbing: Bool, hasQueue: Bool, patience: Int,
        now: Instant
    ) -> Verdict {
        guard let (share, isBurst) = window.add(arrivals, roundTrip: roundTrip, now: now) else {
            return .usual
        }
        if hasQueue {
            excesses = 0
            test = nil
            // A path with a queue and no losses is neither policed nor shallow.
            if share <= usual + Self.margin { ceiling = nil }
            return .usual
        }
        if let test { return conclude(test, share) }
        guard isBurst || share <= usual + max(Self.margin, 4 * deviation) else {
            excesses += 1
            // A path with a bound has shown what its losses mean.
            return excesses >= patience || ceiling != nil ? .excessive(share: share) : .usual
        }
        excesses = 0
        if !isProbing {
            deviation += (abs(share - usual) - deviation) / 16
            usual += (share - usual) / 16
        }
        return .usual
    }

    private mutating func conclude(_ running: Test, _ share: Double) -> Verdict {
        if share < running.share * 0.6 {
            guard share > usual + Self.residue else {
                test = nil
                return .usual
            }
            // It follows the rate, which was measured with a bucket's credit.
            test?.reductions = 1
            return .excessive(share: share)
        }
        if running.reductions < Self.enough {
            test?.reductions += 1
            return .excessive(share: share)
        }
        (test, ceiling, pause) = (nil, nil, Self.shortestPause)
        (usual, deviation) = (share, max(deviation, share / 4))
        return .unrelated(before: running.before)
    }

    /// The rate was reduced because of excessive loss, from `before` to `rate` bytes a second.
    mutating func reduce(from before: Double, to rate: Double, share: Double, now: Instant) {
        if test == nil {
            test = Test(before: before, share: share)
            let isRepeated = rate < failed.rate * 2 && now - failed.at < Self.memory
            pause = isRepeated ? min(pause * 2, Self.longestPause) : Self.shortestPause
        } else {
            test?.share = share
        }
        ceiling = rate
        failed = (rate, now)
        retryAt = now + pause
        excesses = 0
        window.restart(now: now)
    }

    /// The loss has been answered otherwise.
    mutating func forgive(now: Instant) {
        (excesses, test) = (0, nil)
        window.restart(now: now)
    }

    /// The gain for the rate, if the bound limits it: a little less while it holds, and a quarter more in a
    /// trial.
    /// - Parameter isOpen: whether there is data to send and no queue, so that a trial shows anything.
    func gain(isOpen: Bool, now: Instant) -> Double? {
        guard ceiling != nil else { return nil }
        return isOpen && isTrying(now: now) ? Self.trial : Self.hold
    }

    private func isTrying(now: Instant) -> Bool { test == nil && now >= retryAt }

    /// A trial that succeeds raises the bound, as what arrives may be a bucket's credit; the next one follows
    /// soon. A bound that has not failed for a minute ends.
    /// - Parameter delivered: rate that certainly arrived, in bytes a second.
    mutating func learn(delivered: Double, now: Instant) {
        guard let ceiling, isTrying(now: now), delivered > ceiling * Self.success else { return }
        self.ceiling = now - failed.at < Self.memory ? delivered : nil
        retryAt = now + Self.shortestPause
    }
}

/// The datagrams of one round trip, at least 40: how many of them were lost.
struct LossWindow: Sendable {
    private static let smallest = 40
    /// ACKs of a window, and those among them that must report losses: a radio's burst shows in one or two, a
    /// policer's losses in each.
    private static let (fewestReports, fewestLosses) = (4, 3)
    private static let shortest = Interval.milliseconds(20)
    /// An ACK may reveal losses of datagrams that left so much before its highest.
    private static let margin = Interval.milliseconds(10)

    private var (arrived, lost) = (0, 0)
    private var (reports, losses) = (0, 0)
    private var began = Instant.zero
    /// Datagrams that left before say nothing about the present rate.
    private var countsFrom = Instant.zero

    /// Adds the datagrams of an ACK.
    /// - Returns: if they complete the window, the share lost, 0 to 1, and whether that may be a single burst.
    mutating func add(
        _ arrivals: Arrivals, roundTrip: Interval, now: Instant
    ) -> (share: Double, isBurst: Bool)? {
        guard arrivals.sent >= countsFrom else { return nil }
        arrived += max(arrivals.acknowledged, 0)
        lost += arrivals.lost
        reports += 1
        losses += arrivals.lost > 0 ? 1 : 0
        // Losses that were taken back may belong to an earlier window.
        let seen = arrived + max(lost, 0)
        guard seen >= Self.smallest, reports >= Self.fewestReports,
            now - began >= max(roundTrip, Self.shortest)
        else { return nil }
        defer { clear(now: now) }
        return (Double(max(lost, 0)) / Double(seen), losses < Self.fewestLosses)
    }

    /// Begins with the datagrams that leave from now on.
    mutating func restart(now: Instant) {
        clear(now: now)
        countsFrom = now + Self.margin
    }

    private mutating func clear(now: Instant) {
        (arrived, lost, began) = (0, 0, now)
        (reports, losses) = (0, 0)
    }
}
