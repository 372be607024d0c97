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

    /// A quota.
    public init(monthlyBytes: Int64, remaining: Int64, period: Range<Int64>, isExhausted: Bool) {
        self.monthlyBytes = monthlyBytes
        self.remaining = remaining
        self.period = period
        self.isExhausted = isExhausted
    }
}
