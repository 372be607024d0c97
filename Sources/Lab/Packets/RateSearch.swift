/// A search for the highest rate that arrives almost without loss, one trial at a time, so that two searches
/// can alternate: doubling until too much is lost, then bisection, then a longer trial for confirmation.
public struct RateSearch: Sendable {
    /// Maximum acceptable loss.
    public static let tolerance = 0.001
    /// A loss up to this fraction, or a sender that was late, may have been a hiccup of the machine: such a
    /// trial is repeated once.
    static let hiccup = 0.01
    /// The fraction of a rate that has to be reached to count as sent at that rate.
    static let punctual = 0.97
    /// The number of bisections.
    static let halvings = 5
    /// The factor by which a rate that was not confirmed is reduced for the next attempt, and the number of
    /// attempts.
    static let retreat = 0.85
    static let confirmations = 6
    /// Lower limit of the search, in datagrams per second.
    static let least = 1000.0

    /// The parameters of a trial.
    public struct Trial: Equatable, Sendable {
        /// Datagrams per second.
        public var rate: Double
        /// The measured time in seconds.
        public var seconds: Double
    }

    private enum Phase: Equatable {
        case climbing
        case narrowing(Int)
        case confirming(Int)
        case done(PacketFlow?)
    }

    private var phase = Phase.climbing
    private var rate: Double
    private var good: Double?
    private var bad: Double?
    private var isSecondTry = false

    /// A search starting at `start` datagrams per second.
    public init(from start: Double = 50_000) { rate = start }

    /// The next trial; nil once the search is over.
    public var next: Trial? {
        switch phase {
        case .climbing: Trial(rate: rate, seconds: 0.5)
        case .narrowing: Trial(rate: rate, seconds: 1)
        case .confirming: Trial(rate: rate, seconds: 3)
        case .done: nil
        }
    }

    /// The run that confirmed the rate; nil while the search continues, and if none was confirmed.
    public var result: PacketFlow? { if case .done(let flow) = phase { flow } else { nil } }

    /// Records the result of the trial `next`.
    public mutating func note(_ flow: PacketFlow) {
        // A sender that cannot keep up with the rate has found its own limit, which bounds the search like a loss.
        let (isGood, isReached) = (flow.loss <= Self.tolerance, flow.offered >= rate * Self.punctual)
        if case .confirming(let tries) = phase {
            if isGood {
                phase = .done(flow)
            } else {
                rate *= Self.retreat
                phase = tries + 1 < Self.confirmations ? .confirming(tries + 1) : .done(nil)
            }
            return
        }
        if !(isGood && isReached), flow.loss <= Self.hiccup, !isSecondTry {
            isSecondTry = true
            return
        }
        isSecondTry = false
        if isGood { good = max(good ?? 0, min(flow.offered, rate)) }
        if !isGood || !isReached { bad = rate }
        choose()
    }

    /// Chooses the next rate from the results so far.
    private mutating func choose() {
        switch (good, bad) {
        case (let good?, nil): rate = good * 2
        case (nil, let bad?):
            rate = bad / 2
            if rate < Self.least { phase = .done(nil) }
        case (let good?, let bad?):
            let halving = if case .narrowing(let count) = phase { count + 1 } else { 0 }
            if halving < Self.halvings, bad > good * 1.02 {
                phase = .narrowing(halving)
                rate = (good + bad) / 2
            } else {
                phase = .confirming(0)
                rate = good
            }
        case (nil, nil): break
        }
    }
}
