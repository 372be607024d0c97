import Packet

/// A token bucket: limits the average rate but permits bursts. Tokens accumulate up to the burst size and are
/// taken for work done. Accumulation is counted in billionths of a token, so that frequent queries lose nothing
/// to rounding.
package struct TokenBucket: Sendable {
    /// Tokens per second.
    package private(set) var rate: UInt64
    /// Maximum number of tokens.
    package private(set) var burst: UInt64

    private var level: Int64
    /// Billionths of a token in addition to `level`.
    private var fraction: UInt64 = 0
    private var time: Instant

    /// At most 2^50 tokens per second, and a burst of 60 times that, so that sums fit into 64 bits.
    private static let maximumRate: UInt64 = 1 << 50
    /// Maximum burst in seconds of the rate; the minimum is 1/100 s.
    private static let longestBurst: UInt64 = 60

    /// A full bucket.
    /// - Parameters:
    ///   - rate: tokens per second; 0 means none.
    ///   - burst: maximum number of tokens, at least 1/100 and at most 60 s of the rate; nil means a second's
    ///     worth.
    package init(rate: UInt64, burst: UInt64? = nil, at now: Instant) {
        (self.rate, self.burst) = Self.clamp(rate: rate, burst: burst)
        level = Int64(self.burst)
        time = now
    }

    /// Changes the rate. The tokens stay, up to the new burst.
    package mutating func set(rate: UInt64, burst: UInt64? = nil, at now: Instant) {
        refill(at: now)
        (self.rate, self.burst) = Self.clamp(rate: rate, burst: burst)
        cap()
    }

    /// The number of tokens; 0 if in debt.
    package mutating func tokens(at now: Instant) -> Int {
        refill(at: now)
        return Int(max(0, level))
    }

    /// Takes tokens, possibly more than available: the debt is paid off by later ones.
    package mutating func take(_ count: Int) {
        let most = Int64(Self.maximumRate * Self.longestBurst)
        level = max(level - min(Int64(max(0, count)), most), -most)
    }

    /// Takes tokens if enough are available, or if the bucket is full and holds fewer: later ones then pay off
    /// the rest.
    /// - Returns: whether the tokens were taken.
    package mutating func takeIfThere(_ count: Int, at now: Instant) -> Bool {
        guard tokens(at: now) >= min(count, Int(burst)), burst > 0 else { return false }
        take(count)
        return true
    }

    /// Returns tokens that were not used.
    package mutating func giveBack(_ count: Int) {
        level += Int64(min(max(0, count), Int(burst)))
        cap()
    }

    /// When this many tokens will be available, or the bucket will be full; `.never` at a rate of 0.
    package mutating func ready(for count: Int, at now: Instant) -> Instant {
        refill(at: now)
        let wanted = min(Int64(clamping: count), Int64(burst))
        guard rate > 0 else { return .never }
        guard wanted > level else { return now }
        // At most some 2^57 tokens, counted in billionths, so the product exceeds 64 bits.
        let missing = UInt64(wanted - level)
        let product = missing.multipliedFullWidth(by: 1_000_000_000)
        let (low, borrow) = product.low.subtractingReportingOverflow(fraction)
        let high = product.high - (borrow ? 1 : 0)
        guard high < rate else { return .never }
        let (wait, rest) = rate.dividingFullWidth((high, low))
        return now + Interval(nanoseconds: Int64(clamping: wait)) + Interval(nanoseconds: rest > 0 ? 1 : 0)
    }

    private mutating func refill(at now: Instant) {
        guard now > time else { return }
        let elapsed = now.nanoseconds - time.nanoseconds
        time = now
        guard level < Int64(burst) else { return }
        let product = rate.multipliedFullWidth(by: elapsed)
        let (low, carry) = product.low.addingReportingOverflow(fraction)
        let high = product.high + (carry ? 1 : 0)
        let (whole, rest) = UInt64(1_000_000_000).dividingFullWidth((high % 1_000_000_000, low))
        level = high < 1_000_000_000 ? level.addingSaturated(whole) : Int64(burst)
        fraction = rest
        cap()
    }

    private mutating func cap() {
        guard level >= Int64(burst) else { return }
        level = Int64(burst)
        fraction = 0
    }

    private static func clamp(rate: UInt64, burst: UInt64?) -> (UInt64, UInt64) {
        let rate = min(rate, maximumRate)
        guard rate > 0 else { return (0, 0) }
        // A bucket without room for one token would never yield any.
        return (rate, min(max(burst ?? rate, rate / 100, 1), rate * longestBurst))
    }
}

extension Int64 {
    fileprivate func addingSaturated(_ other: UInt64) -> Int64 {
        let (sum, overflow) = addingReportingOverflow(Int64(clamping: other))
        return overflow ? .max : sum
    }
}
