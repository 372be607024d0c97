/// Keeps a quota: what is left of it, and that a new month brings a new one also when the control plane is away. What it is set to
/// later is what counts from then on.
public struct QuotaMeter: Sendable {
    private var quota: Quota

    /// Starts with what the control plane, or this program's own memory, says.
    public init(_ quota: Quota) { self.quota = quota }

    /// Replaces the quota; what was consumed until now is in it.
    public mutating func set(_ quota: Quota) { self.quota = quota }

    /// The quota as it is now.
    /// - Parameter seconds: the time, in seconds since 1970.
    public mutating func quota(at seconds: Int64) -> Quota {
        renew(at: seconds)
        return quota
    }

    /// How many bytes may pass now.
    public mutating func room(at seconds: Int64) -> Int {
        renew(at: seconds)
        return quota.isExhausted ? 0 : Int(clamping: max(0, quota.remaining))
    }

    /// Counts bytes that passed, either way.
    public mutating func consume(_ bytes: UInt64, at seconds: Int64) {
        renew(at: seconds)
        let (left, overflow) = quota.remaining.subtractingReportingOverflow(Int64(clamping: bytes))
        quota.remaining = overflow ? .min : left
        if quota.remaining <= 0 { quota.isExhausted = true }
    }

    /// A month that has ended is followed by one of the same length, which the control plane corrects when it is back.
    private mutating func renew(at seconds: Int64) {
        let (start, end) = (quota.period.lowerBound, quota.period.upperBound)
        let (length, overflow) = end.subtractingReportingOverflow(start)
        guard !overflow, length > 0, seconds >= end else { return }
        let (since, tooLong) = seconds.subtractingReportingOverflow(end)
        let next = seconds - (tooLong ? 0 : since % length)
        let (nextEnd, tooFar) = next.addingReportingOverflow(length)
        quota.period = next..<(tooFar ? .max : nextEnd)
        quota.remaining = max(0, quota.monthlyBytes)
        quota.isExhausted = quota.remaining == 0
    }
}
