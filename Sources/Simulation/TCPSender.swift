import Packet

/// The sending end of a TCP flow that always has data, modeled on Linux: SACK, RACK with its reordering window,
/// proportional rate reduction (RFC 6937), tail loss probes, timeouts with backoff, and undoing of spurious
/// recoveries, by time stamps (RFC 3522) and duplicates (RFC 3708).
struct TCPSender<Control: CongestionControl> {
    private static var initialWindow: Int { 10 }

    private(set) var board: Scoreboard
    private(set) var control: Control
    private(set) var window = Self.initialWindow
    private(set) var threshold = Int.max
    private(set) var state = ACKSummary.State.open
    /// The number of recoveries, of spurious ones, and of timeouts.
    private(set) var recoveries = 0
    private(set) var undone = 0
    private(set) var timeouts = 0

    private var roundTrip = SmoothedRTT()
    private var timeoutAt = Instant.never
    private var probeAt = Instant.never
    private var backoff: Int64 = 1
    private var mustProbe = false
    /// Whether a probe has been sent since the last ACK.
    private var hasProbed = false
    private var isWindowLimited = false
    /// The last ACK's count of marked segments.
    private var marks: UInt16 = 0

    // Recovery.
    private var recoveryEnd = 0
    private var priorWindow = 0
    private var priorThreshold = 0
    private var reductionDelivered = 0
    private var reductionSent = 0
    private var mayUndo = false
    /// Retransmitted segments that have not turned out to be duplicates; -1 before the first.
    private var unproven = -1
    private var firstResend: UInt32?
    private var mustTellReduction = false
    // The reordering window.
    private var steps: Int64 = 1
    private var persistence = 0
    private var stepsChangedAt = 0

    // Pacing.
    private var paceAt = Instant.zero
    private var burstEnd = Instant.zero

    init(control: Control, window: Int = 16384) {
        board = Scoreboard(window: window)
        self.control = control
    }

    /// The smoothed round-trip time; zero before the first sample.
    var rtt: Interval { roundTrip.smoothed }

    /// When to call `fire`, or when `next` may have something.
    var due: Instant {
        let mayLeave = board.inFlight < window && (board.hasRoom || board.lost > board.resent)
        let isPaced = control.pace != nil && mayLeave && paceAt > .zero
        return min(min(timeoutAt, probeAt), min(board.lossDue, isPaced ? paceAt : .never))
    }

    /// The time stamp of a segment sent now.
    static func timestamp(_ now: Instant) -> UInt32 {
        UInt32(truncatingIfNeeded: now.nanoseconds / 1_000_000)
    }

    // MARK: - Sending

    /// The segment to send now; nil if there is none.
    mutating func next(now: Instant) -> Int? {
        if mustProbe {
            mustProbe = false
            return leave(board.hasRoom ? board.next : board.oldest, now)
        }
        isWindowLimited = board.inFlight >= window
        guard !isWindowLimited else { return nil }
        if control.pace != nil {
            if paceAt <= now { burstEnd = now + .milliseconds(1) }
            guard paceAt < burstEnd else { return nil }
        }
        if let lost = board.nextLost() {
            if firstResend == nil { firstResend = Self.timestamp(now) }
            unproven = max(unproven, 0) + 1
            return leave(lost, now)
        }
        return board.hasRoom ? leave(board.next, now) : nil
    }

    private mutating func leave(_ number: Int, _ now: Instant) -> Int {
        if let pace = control.pace {
            paceAt = max(paceAt, now) + Interval(nanoseconds: Int64(1e9 / pace))
        }
        if board.inFlight == 0 || timeoutAt == .never { timeoutAt = now + roundTrip.timeout * backoff }
        board.leave(number, now: now)
        if state == .recovery { reductionSent += 1 }
        setProbe(now)
        return number
    }

    /// Schedules a tail loss probe for when no ACK arrives within twice the round trip.
    private mutating func setProbe(_ now: Instant) {
        guard state == .open, board.sacked == 0, rtt > .zero, !hasProbed else {
            probeAt = .never
            return
        }
        let extra: Interval = board.next - board.oldest == 1 ? .milliseconds(200) : .milliseconds(2)
        probeAt = now + rtt * 2 + extra
        if probeAt >= timeoutAt { probeAt = .never }
    }

    // MARK: - Time

    mutating func fire(now: Instant) {
        if board.lossDue <= now { reviewLosses(now) }
        if probeAt <= now {
            probeAt = .never
            mustProbe = board.next > board.oldest
            hasProbed = true
            timeoutAt = now + roundTrip.timeout
        }
        if timeoutAt <= now && board.next > board.oldest { timeOut(now) }
    }

    /// Marks losses that are revealed by elapsed time alone.
    private mutating func reviewLosses(_ now: Instant) {
        if board.markLost(tolerance: tolerance, now: now) > 0 && state == .open { recover() }
    }

    private mutating func timeOut(_ now: Instant) {
        timeouts += 1
        board.markAllLost(now: now)
        if state != .loss {
            if state == .open { rememberForUndo() }
            threshold = control.shrink(window)
            firstResend = nil
        }
        control.reset()
        window = board.inFlight + 1
        recoveryEnd = board.next
        state = .loss
        backoff = min(backoff * 2, 64)
        timeoutAt = now + roundTrip.timeout * backoff
        probeAt = .never
    }

    // MARK: - ACKs

    /// Handles an ACK.
    /// - Returns: the round trip that it shows.
    @discardableResult
    mutating func take(_ ack: Segment, now: Instant) -> Interval? {
        let priorInFlight = board.inFlight
        let wasLimited = isWindowLimited
        let news = board.take(ack, now: now)
        if let rtt = news.rtt { roundTrip.take(rtt) }
        if news.advanced > 0 {
            backoff = 1
            timeoutAt = board.next > board.oldest ? now + roundTrip.timeout : .never
        }
        if news.isDuplicate { noteDuplicate() }
        let lost = board.markLost(tolerance: tolerance, now: now)
        let before = state
        judge(ack, news, now)
        if news.delivered > 0 {
            hasProbed = false
            setProbe(now)
        }
        let summary = ACKSummary(
            now: now, news: news, state: state, lost: lost, acknowledged: board.oldest, next: board.next,
            delivered: board.delivered, inFlight: board.inFlight, priorInFlight: priorInFlight,
            marked: Int(ack.marks &- marks), minimumRTT: board.minimumRTT,
            mayGrow: wasLimited && (board.reordering > 3 ? news.delivered > 0 : news.advanced > 0))
        if control.ownsWindow || state != .recovery {
            control.acknowledge(summary, window: &window, threshold: &threshold)
        } else {
            reduce(news, lost, isNew: before != .recovery)
        }
        marks = ack.marks
        return news.rtt
    }

    /// The state machine of tcp_fastretrans_alert.
    private mutating func judge(_ ack: Segment, _ news: Scoreboard.News, _ now: Instant) {
        let isDelayed = firstResend.map { ack.echo < $0 } ?? false
        switch state {
        case .open: if mayUndo && unproven == 0 { undo() }
        case .recovery, .loss:
            if mayUndo && (unproven == 0 || isDelayed && news.advanced > 0) {
                if board.oldest >= recoveryEnd || board.resent == 0 || unproven == 0 { undo() }
            } else if board.oldest >= recoveryEnd {
                if state == .recovery && !control.ownsWindow { window = threshold }
                state = .open
                persistence -= 1
            }
        }
        if state == .open && (board.lost > 0 || ack.echoesCongestion) {
            recover()
            if ack.echoesCongestion {
                // Nothing was lost, so there is nothing to undo.
                mayUndo = false
                mustTellReduction = true
            }
        }
    }

    /// Whether the next new segment confirms that the window was reduced, as requested by the receiver (RFC
    /// 3168, 6.1.2).
    mutating func takeWindowReduced() -> Bool {
        defer { mustTellReduction = false }
        return mustTellReduction
    }

    /// Records that a retransmission turned out to be a duplicate.
    private mutating func noteDuplicate() {
        if unproven > 0 { unproven -= 1 }
        // At most once a round trip.
        if board.delivered - stepsChangedAt >= window {
            steps = min(steps + 1, 255)
            persistence = 16
            stepsChangedAt = board.delivered
        }
    }

    /// The reordering window: how much later than expected a segment may arrive without being lost
    /// (tcp_rack_reo_wnd).
    private var tolerance: Interval {
        if !board.hasReordering {
            if state == .recovery || board.sacked >= board.reordering { return .zero }
        }
        guard board.minimumRTT.nanoseconds < .max else { return .zero }
        return min(board.minimumRTT / 4 * (persistence > 0 ? steps : 1), rtt)
    }

    // MARK: - Recovery

    private mutating func rememberForUndo() {
        priorWindow = window
        priorThreshold = threshold
        mayUndo = true
        unproven = -1
        firstResend = nil
    }

    private mutating func recover() {
        recoveries += 1
        if persistence <= 0 { steps = 1 }
        rememberForUndo()
        recoveryEnd = board.next
        reductionDelivered = 0
        reductionSent = 0
        threshold = control.shrink(window)
        state = .recovery
        probeAt = .never
    }

    private mutating func undo() {
        undone += 1
        mayUndo = false
        window = max(window, priorWindow)
        threshold = max(threshold, priorThreshold)
        board.unmarkLost()
        state = .open
    }

    /// Proportional rate reduction (RFC 6937, tcp_cwnd_reduction).
    private mutating func reduce(_ news: Scoreboard.News, _ lost: Int, isNew: Bool) {
        guard news.delivered > 0 || isNew else { return }
        reductionDelivered += news.delivered
        let room = threshold - board.inFlight
        var count: Int
        if room < 0 {
            count = (threshold * reductionDelivered + priorWindow - 1) / priorWindow - reductionSent
        } else {
            count = max(reductionDelivered - reductionSent, news.delivered)
            if news.advanced > 0 && lost == 0 { count += 1 }
            count = min(room, count)
        }
        count = max(count, reductionSent == 0 ? 1 : 0)
        window = board.inFlight + count
    }
}
