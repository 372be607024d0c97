import Packet

/// Whether a path is usable: PROBING → UP → SUSPECT → DOWN, and back.
public struct PathLiveness: ~Copyable, Sendable {
    /// The four states.
    public enum State: UInt8, Sendable {
        /// New; nothing received on it yet.
        case probing
        /// Answers in time.
        case up
        /// A datagram stayed unanswered for too long: the path gets no new data, and probes decide.
        case suspect
        /// Does not answer, or the host reported that it cannot be used.
        case down
    }

    /// Interval between probes of a suspect path: a burst of losses on a radio link swallows the first few.
    private static let suspectProbes = Interval.milliseconds(20)
    /// Maximum number of probes of a suspect path; at least three must be in flight before the path is given
    /// up.
    private static let mostSuspectProbes = 12
    /// A path that fails within this time of coming up is flapping.
    private static let flapWindow = Interval.seconds(10)
    /// A path that does not answer is probed less and less often: the interval is this fraction of the time
    /// since the search for it began, so the path is found again within a tenth of the time it was away.
    private static let backoff: Int64 = 10
    /// The longest interval between probes: a dead path costs less than 1 MB a day.
    private static let longestInterval = Interval.seconds(10)
    /// Answers further apart than this do not count towards bringing a path up.
    private static let answerWindow = Interval.seconds(2)
    /// The interval between probes of a path that answers but is held back for flapping.
    private static let heldInterval = Interval.seconds(1)

    /// The current state.
    public private(set) var state = State.probing
    /// When the current state was entered.
    public private(set) var since: Instant

    private var probesSent = 0
    private var nextProbe: Instant
    private var answers = 0
    private var firstAnswer = Instant.zero
    private var lastAnswer = Instant.zero
    /// When the search for a path that does not answer began; moved forward by a nudge.
    private var soughtSince: Instant
    private var heldUntil = Instant.zero
    private var hold = Interval.seconds(1)
    private var hasBeenUp = false
    private var upSince = Instant.zero

    /// A new path, to be probed at once.
    public init(now: Instant) {
        since = now
        soughtSince = now
        nextProbe = now
    }

    /// Whether the path may carry data.
    public var isUp: Bool { state == .up }

    /// When the next probe leaves; `.never` in state UP, where the caller sends idle probes.
    public var probeDue: Instant { state == .up ? .never : nextProbe }

    /// Records the probe that leaves now.
    public mutating func probeLeft(now: Instant) {
        probesSent += 1
        switch state {
        case .up: break
        case .suspect:
            nextProbe =
                probesSent < Self.mostSuspectProbes
                ? max(since + Self.suspectProbes * Int64(probesSent), now) : .never
        case .probing:
            nextProbe =
                now + (probesSent < 10 ? .milliseconds(100) : pause(from: .milliseconds(500), now: now))
        case .down:
            if answers > 0 && now - lastAnswer > Self.answerWindow { answers = 0 }
            if answers == 0 {
                nextProbe = now + pause(from: .milliseconds(250), now: now)
            } else if heldUntil - now > Self.heldInterval {
                nextProbe = now + Self.heldInterval - .milliseconds(100)
            } else {
                nextProbe = now + .milliseconds(100)
            }
        }
    }

    /// Time to the next probe of a path that does not answer.
    private func pause(from shortest: Interval, now: Instant) -> Interval {
        min(max(shortest, (now - soughtSince) / Self.backoff), Self.longestInterval)
    }

    /// When a suspect path is given up unless it answers: three probes sent, 250 ms elapsed, and the third
    /// probe's timeout expired.
    public func givesUpAt(_ rtt: borrowing RoundTripTime) -> Instant {
        guard state == .suspect, probesSent >= 3 else { return .never }
        return since
            + max(.milliseconds(250), Self.suspectProbes * 2 + max(rtt.answerTimeout, .milliseconds(80)))
    }

    /// A datagram sent on the path was answered. `alone`: no other path is up, so waiting would gain nothing.
    /// - Returns: whether the path came up.
    public mutating func answered(now: Instant, alone: Bool) -> Bool {
        switch state {
        case .up: return false
        case .suspect:
            enter(.up, now: now)
            return true
        case .probing where !hasBeenUp:
            enter(.up, now: now)
            return true
        case .probing, .down:
            if answers > 0 && now - lastAnswer > Self.answerWindow { answers = 0 }
            answers += 1
            lastAnswer = now
            if answers == 1 {
                firstAnswer = now
                nextProbe = now + .milliseconds(100)
            }
            // Three answers over 300 ms are required, and a path that flaps waits longer.
            guard alone || answers >= 3 && now - firstAnswer >= .milliseconds(290) && now >= heldUntil else {
                return false
            }
            enter(.up, now: now)
            return true
        }
    }

    /// A datagram stayed unanswered for longer than `RoundTripTime.answerTimeout`.
    /// - Returns: whether the path has just become suspect.
    public mutating func stayedSilent(now: Instant) -> Bool {
        guard state == .up else { return false }
        enter(.suspect, now: now)
        return true
    }

    /// The path cannot be used: probes stayed unanswered, the carrier or address was lost, or there is no
    /// route.
    /// - Returns: whether the path was not already down.
    public mutating func fail(now: Instant) -> Bool {
        answers = 0
        guard state != .down else { return false }
        if hasBeenUp {
            hold = now - upSince < Self.flapWindow ? min(hold * 2, .seconds(30)) : .seconds(1)
            heldUntil = now + (hold > .seconds(1) ? hold : .zero)
        }
        enter(.down, now: now)
        return true
    }

    /// A change for the better (carrier, address, another socket): probe at once instead of waiting for the
    /// next turn, and more often for a while. A quarter of the search so far is kept, so that a change that
    /// recurs every few seconds does not keep probing a dead path at a high rate.
    public mutating func nudge(now: Instant) {
        guard state != .up else { return }
        nextProbe = now
        soughtSince = now - (now - soughtSince) / 4
    }

    private mutating func enter(_ next: State, now: Instant) {
        if next == .up && state != .suspect { upSince = now }
        if next == .up { hasBeenUp = true }
        state = next
        since = now
        soughtSince = now
        probesSent = 0
        answers = 0
        nextProbe = now
    }
}
