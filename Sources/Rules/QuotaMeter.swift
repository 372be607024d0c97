import Packet

/// Tracks a quota: counts the remaining bytes, and starts the next month by itself while the control plane is
/// away. A new value from the control plane takes precedence.
///
/// The month is determined by the wall clock, which may jump. A month that was started here is therefore on
/// trial: the previous one is kept, is restored if the clock goes back, and is reported by `lasting` for the
/// first hour.
package struct QuotaMeter: Sendable {
    private var quota: Quota
    /// The previous month, reduced by consumption since its end; nil if the present month is certain.
    private var ended: Quota?
    /// When `lasting` first saw that a month had ended, on the monotonic clock.
    private var trialBegan: Instant?

    /// How long the clock has to stay in a new month: longer than a host takes to get the time from the network.
    private static let trial = Interval.seconds(3600)

    /// Starts with a quota from the control plane or this program's state.
    package init(_ quota: Quota) { self.quota = quota }

    /// Replaces the quota, which includes consumption until now.
    package mutating func set(_ quota: Quota) {
        self.quota = quota
        endTrial()
    }

    /// The current quota.
    /// - Parameter seconds: the Unix time in seconds.
    package mutating func quota(at seconds: Int64) -> Quota {
        renew(at: seconds)
        return quota
    }

    /// The quota to store: after a restart, a clock's jump into the next month must not become permanent.
    /// - Parameters:
    ///   - seconds: the Unix time in seconds.
    ///   - now: the same time on the monotonic clock.
    package mutating func lasting(at seconds: Int64, now: Instant) -> Quota {
        renew(at: seconds)
        guard let ended else { return quota }
        let began = trialBegan ?? now
        trialBegan = began
        guard now - began >= Self.trial else { return ended }
        endTrial()
        return quota
    }

    /// The number of bytes that may pass now.
    package mutating func room(at seconds: Int64) -> Int {
        renew(at: seconds)
        return quota.isExhausted ? 0 : Int(clamping: max(0, quota.remaining))
    }

    /// Counts bytes that passed in either direction.
    package mutating func consume(_ bytes: UInt64, at seconds: Int64) {
        renew(at: seconds)
        quota.consume(bytes)
        ended?.consume(bytes)
    }

    /// Follows a month that has ended with one of the same length, which the control plane corrects once it is
    /// back.
    private mutating func renew(at seconds: Int64) {
        if let ended, seconds < ended.period.upperBound {
            quota = ended
            endTrial()
        }
        let (start, end) = (quota.period.lowerBound, quota.period.upperBound)
        let (length, overflow) = end.subtractingReportingOverflow(start)
        guard !overflow, length > 0, seconds >= end else { return }
        if ended == nil { ended = quota }
        let (since, tooLong) = seconds.subtractingReportingOverflow(end)
        let next = seconds - (tooLong ? 0 : since % length)
        let (nextEnd, tooFar) = next.addingReportingOverflow(length)
        quota.period = next..<(tooFar ? .max : nextEnd)
        quota.remaining = max(0, quota.monthlyBytes)
        quota.isExhausted = quota.remaining == 0
    }

    private mutating func endTrial() { (ended, trialBegan) = (nil, nil) }
}

extension Quota {
    fileprivate mutating func consume(_ bytes: UInt64) {
        let (left, overflow) = remaining.subtractingReportingOverflow(Int64(clamping: bytes))
        remaining = overflow ? .min : left
        if remaining <= 0 { isExhausted = true }
    }
}

/// The remaining traffic of an owner's rules this month, in both directions together.
package struct Quota: Hashable, Sendable {
    /// The monthly allowance in bytes.
    package var monthlyBytes: Int64
    /// The remaining bytes; negative if the allowance was exceeded.
    package var remaining: Int64
    /// The beginning and end of the month, as Unix times in seconds.
    package var period: Range<Int64>
    /// Whether the quota is exhausted, regardless of the remaining bytes.
    package var isExhausted: Bool

    /// The quota if the control plane announces this one, but may not know yet what was carried while it was
    /// away: within the same month, the larger usage of both counts.
    /// - Parameter local: the quota as counted here.
    package func merged(with local: Quota) -> Quota {
        guard period == local.period else { return self }
        let (used, isLow) = local.monthlyBytes.subtractingReportingOverflow(local.remaining)
        let (left, overflow) = monthlyBytes.subtractingReportingOverflow(isLow ? .max : used)
        var merged = self
        merged.remaining = min(remaining, overflow ? .min : left)
        if merged.remaining <= 0 { merged.isExhausted = true }
        return merged
    }

    /// A quota with these values.
    package init(monthlyBytes: Int64, remaining: Int64, period: Range<Int64>, isExhausted: Bool) {
        self.monthlyBytes = monthlyBytes
        self.remaining = remaining
        self.period = period
        self.isExhausted = isExhausted
    }
}
