/// What an owner's rules may still carry this month, both directions together.
public struct Quota: Hashable, Sendable {
    /// What a month has, in bytes.
    public var monthlyBytes: Int64
    /// What is left, in bytes; below 0 when more was carried.
    public var remaining: Int64
    /// When the month began and ends, in seconds since 1970.
    public var period: Range<Int64>
    /// Whether nothing more may pass, whatever is left.
    public var isExhausted: Bool

    /// What is left when the control plane says this quota, but can't know yet what was carried while it was away: of one and the
    /// same month as much as was used by the higher of both counts is gone.
    /// - Parameter local: the quota as it was kept here.
    public func merged(with local: Quota) -> Quota {
        guard period == local.period else { return self }
        let (used, isLow) = local.monthlyBytes.subtractingReportingOverflow(local.remaining)
        let (left, overflow) = monthlyBytes.subtractingReportingOverflow(isLow ? .max : used)
        var merged = self
        merged.remaining = min(remaining, overflow ? .min : left)
        if merged.remaining <= 0 { merged.isExhausted = true }
        return merged
    }

    /// A quota.
    public init(monthlyBytes: Int64, remaining: Int64, period: Range<Int64>, isExhausted: Bool) {
        self.monthlyBytes = monthlyBytes
        self.remaining = remaining
        self.period = period
        self.isExhausted = isExhausted
    }
}
