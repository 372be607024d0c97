import Packet

/// Keeps a quota: counts what is left of it, and begins the next month by itself when the control plane is away. Once it is set
/// again, that counts.
///
/// The month is judged by the wall clock, which jumps. Therefore a month that was begun here is on trial: the one before it is kept,
/// comes back when the clock does, and is what `lasting` says for the first hour.
public struct QuotaMeter: Sendable {
    private var quota: Quota
    /// The month before, less what was consumed since it ended; nil: the present one is certain.
    private var ended: Quota?
    /// When `lasting` first saw that a month had ended, on the monotonic clock.
    private var trialBegan: Instant?

    /// How long the clock has to stay in a new month: longer than a host takes to get the time from the network.
    private static let trial = Interval.seconds(3600)

    /// Starts with what the control plane, or this program's own memory, says.
    public init(_ quota: Quota) { self.quota = quota }

    /// Replaces the quota; what was consumed until now is in it.
    public mutating func set(_ quota: Quota) {
        self.quota = quota
        endTrial()
    }

    /// The quota as it is now.
    /// - Parameter seconds: the time, in seconds since 1970.
    public mutating func quota(at seconds: Int64) -> Quota {
        renew(at: seconds)
        return quota
    }

    /// The quota to store: a restart must not make a clock's jump into the next month good for ever.
    /// - Parameters:
    ///   - seconds: the time, in seconds since 1970.
    ///   - now: the same on the monotonic clock.
    public mutating func lasting(at seconds: Int64, now: Instant) -> Quota {
        renew(at: seconds)
        guard let ended else { return quota }
        let began = trialBegan ?? now
        trialBegan = began
        guard now - began >= Self.trial else { return ended }
        endTrial()
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
        quota.consume(bytes)
        ended?.consume(bytes)
    }

    /// A month that has ended is followed by one of the same length, which the control plane corrects when it is back.
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
