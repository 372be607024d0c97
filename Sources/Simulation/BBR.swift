import Packet

/// BBR version 1 (Cardwell et al., ACM Queue 2016), as in Linux's tcp_bbr.c but without its detection of policers.
struct BBR: CongestionControl {
    private enum Mode { case startup, drain, probeBandwidth, probeRTT }

    private static let highGain = 2.885
    private static let cycle = [1.25, 0.75, 1, 1, 1, 1, 1, 1]
    private static let leastWindow = 4

    let ownsWindow = true
    /// Segments per second; a guess before the first round trip.
    private(set) var pace: Double? = highGain * 10 / 0.001

    private var mode = Mode.startup
    private var bandwidth = RoundMaximum(rounds: 10)
    private var round = 0
    private var roundEnd = 0
    private var minimumRTT = Interval(nanoseconds: .max)
    private var minimumAt = Instant.zero
    private var fullBandwidth = 0.0
    private var fullCount = 0
    private var cycleIndex = 2
    private var cycleAt = Instant.zero
    private var probeDone: Instant?
    private var probeRoundDone = false
    /// The counts of delivered segments between which those were sent that were held back to probe the round trip.
    private var heldBack = (from: 0, to: -1)
    private var priorWindow = 0
    private var isConserving = false
    private var wasRecovering = false
    // Estimate of ACK aggregation.
    private var extra = RoundMaximum(rounds: 10)
    private var epoch = Instant.zero
    private var epochAcked = 0.0

    private var isFull: Bool { fullCount >= 3 }

    private var gains: (pacing: Double, window: Double) {
        switch mode {
        case .startup: (Self.highGain, Self.highGain)
        case .drain: (1 / Self.highGain, Self.highGain)
        case .probeBandwidth: (Self.cycle[cycleIndex], 2)
        case .probeRTT: (1, 1)
        }
    }

    mutating func shrink(_ window: Int) -> Int {
        saveWindow(window)
        return Int.max
    }

    mutating func reset() {
        fullBandwidth = 0
        isConserving = false
        wasRecovering = true
    }

    private mutating func saveWindow(_ window: Int) {
        priorWindow = !wasRecovering && mode != .probeRTT ? window : max(priorWindow, window)
    }

    mutating func acknowledge(_ ack: ACKSummary, window: inout Int, threshold: inout Int) {
        var isNewRound = false
        if ack.news.sampleCount > 0 && ack.news.sampleTime > .zero {
            if ack.news.sampleBefore >= roundEnd {
                roundEnd = ack.delivered
                round += 1
                isNewRound = true
                isConserving = false
            }
            // A sample shorter than the minimum round trip would measure ACK compression instead of the rate.
            if ack.news.sampleTime >= ack.minimumRTT {
                let rate = Double(ack.news.sampleCount) / ack.news.sampleTime.seconds
                let isHeldBack =
                    heldBack.from <= ack.news.sampleBefore && ack.news.sampleBefore <= heldBack.to
                if !isHeldBack || rate >= bandwidth.value { bandwidth.note(rate, round: round) }
            }
        }
        noteAggregation(ack, window)
        advanceCycle(ack)
        checkFull(isNewRound)
        if mode == .startup && isFull { mode = .drain }
        if mode == .drain && ack.inFlight <= target(1) { enterProbeBandwidth(ack.now) }
        checkRTT(ack, isNewRound, &window)
        if bandwidth.value > 0 {
            let rate = bandwidth.value * gains.pacing * 0.99
            if isFull || rate > pace ?? 0 || round < 2 { pace = max(rate, 10) }
        }
        setWindow(ack, &window)
    }

    /// The window in segments: `gain` times the bandwidth-delay product.
    private func target(_ gain: Double) -> Int {
        guard minimumRTT.nanoseconds < .max else { return 10 }
        // Three bursts of a millisecond, as Linux allows for segmentation offload.
        let burst = max(Int(bandwidth.value / 1000), 1)
        let held = Int((bandwidth.value * minimumRTT.seconds * gain).rounded(.up))
        return held + 3 * burst + (mode == .probeBandwidth && cycleIndex == 0 ? 2 : 0)
    }

    private mutating func noteAggregation(_ ack: ACKSummary, _ window: Int) {
        guard ack.news.delivered > 0 else { return }
        var expected = bandwidth.value * (ack.now - epoch).seconds
        if epochAcked <= expected {
            epochAcked = 0
            epoch = ack.now
            expected = 0
        }
        epochAcked += Double(ack.news.delivered)
        extra.note(min(epochAcked - expected, Double(window)), round: round)
    }

    private mutating func advanceCycle(_ ack: ACKSummary) {
        guard mode == .probeBandwidth else { return }
        let isLong = ack.now - cycleAt > minimumRTT
        let isOver =
            switch cycleIndex {
            case 0: isLong && (ack.lost > 0 || ack.priorInFlight >= target(1.25))
            case 1: isLong || ack.priorInFlight <= target(1)
            default: isLong
            }
        if isOver {
            cycleIndex = (cycleIndex + 1) % Self.cycle.count
            cycleAt = ack.now
        }
    }

    private mutating func checkFull(_ isNewRound: Bool) {
        guard !isFull, isNewRound else { return }
        if bandwidth.value >= fullBandwidth * 1.25 {
            fullBandwidth = bandwidth.value
            fullCount = 0
        } else {
            fullCount += 1
        }
    }

    private mutating func enterProbeBandwidth(_ now: Instant) {
        mode = .probeBandwidth
        cycleIndex = 2
        cycleAt = now
    }

    private mutating func checkRTT(_ ack: ACKSummary, _ isNewRound: Bool, _ window: inout Int) {
        let isExpired = ack.now - minimumAt > .seconds(10)
        if let rtt = ack.news.rtt, rtt < minimumRTT || isExpired {
            minimumRTT = rtt
            minimumAt = ack.now
        }
        if isExpired && mode != .probeRTT && round > 1 {
            mode = .probeRTT
            saveWindow(window)
            probeDone = nil
            heldBack.from = ack.delivered
        }
        guard mode == .probeRTT else { return }
        // Linux counts these samples as limited by the application.
        heldBack.to = ack.delivered + ack.inFlight
        if let done = probeDone {
            if isNewRound { probeRoundDone = true }
            guard probeRoundDone && ack.now > done else { return }
            minimumAt = ack.now
            window = max(window, priorWindow)
            if isFull { enterProbeBandwidth(ack.now) } else { mode = .startup }
        } else if ack.inFlight <= Self.leastWindow {
            probeDone = ack.now + .milliseconds(200)
            probeRoundDone = false
            roundEnd = ack.delivered
        }
    }

    private mutating func setWindow(_ ack: ACKSummary, _ window: inout Int) {
        let acked = ack.news.delivered
        let isRecovering = ack.state != .open
        defer { wasRecovering = isRecovering }
        if ack.lost > 0 { window = max(window - ack.lost, 1) }
        if ack.state == .recovery && !wasRecovering {
            isConserving = true
            roundEnd = ack.delivered
            window = ack.inFlight + acked
        } else if !isRecovering && wasRecovering {
            window = max(window, priorWindow)
            isConserving = false
        }
        if isConserving {
            window = max(window, ack.inFlight + acked)
        } else if acked > 0 {
            let aggregated = isFull ? Int(min(extra.value, bandwidth.value * 0.1)) : 0
            let goal = target(gains.window) + aggregated
            if isFull {
                window = min(window + acked, goal)
            } else if window < goal || ack.delivered < 10 {
                window += acked
            }
        }
        window = max(window, Self.leastWindow)
        if mode == .probeRTT { window = min(window, Self.leastWindow) }
    }
}
