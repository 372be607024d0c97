/// The remaining traffic of an owner's rules this month, in both directions together.
public struct Quota: Hashable, Sendable {
    /// The monthly allowance in bytes.
    public var monthlyBytes: Int64
    /// The remaining bytes; negative if the allowance was exceeded.
    public var remaining: Int64
    /// The beginning and end of the month, as Unix times in seconds.
    public var period: Range<Int64>
    /// Whether the quota is exhausted, regardless of the remaining bytes.
    public var isExhausted: Bool

    /// The quota if the control plane announces this one, but may not know yet what was carried while it was
    /// away: within the same month, the larger usage of both counts.
    /// - Parameter local: the quota as counted here.
    public func merged(with local: Quota) -> Quota {
        guard period == local.period else { return self }
        let (used, isLow) = local.monthlyBytes.subtractingReportingOverflow(local.remaining)
        let (left, overflow) = monthlyBytes.subtractingReportingOverflow(isLow ? .max : used)
        var merged = self
        merged.remaining = min(remaining, overflow ? .min : left)
        if merged.remaining <= 0 { merged.isExhausted = true }
        return merged
    }

    /// A quota with these values.
    public init(monthlyBytes: Int64, remaining: Int64, period: Range<Int64>, isExhausted: Bool) {
        self.monthlyBytes = monthlyBytes
        self.remaining = remaining
        self.period = period
        self.isExhausted = isExhausted
    }
}
