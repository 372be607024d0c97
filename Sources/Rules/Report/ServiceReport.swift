/// Traffic of all rules. Counters start at 0 when a rule is added; "in" is from end users to targets.
public struct ServiceReport: Hashable, Sendable {
    /// One report for each rule.
    public var rules: [RuleReport]
    /// One report for each port that examines server names.
    public var listeners: [NameListenerReport]
    /// One report for each owner with limits or a quota.
    public var owners: [OwnerReport]

    /// A report of these objects.
    public init(rules: [RuleReport] = [], listeners: [NameListenerReport] = [], owners: [OwnerReport] = []) {
        self.rules = rules
        self.listeners = listeners
        self.owners = owners
    }
}

/// The effect of limits on an owner's rules.
public struct OwnerReport: Hashable, Sendable {
    /// The owner.
    public var owner: String
    /// The effect of the owner's limits.
    public var limit: LimitReport
    /// Traffic of its rules since they were added, in both directions together, in bytes.
    public var bytes: UInt64
    /// Its quota with the remaining bytes; nil if there is none.
    public var quota: Quota?
    /// The quota to store: `quota`, except when a month has only just begun, by a clock that may be wrong; see
    /// `QuotaMeter.lasting`.
    public var lastingQuota: Quota?

    /// A report about an owner.
    /// - Parameter lastingQuota: nil means the same as `quota`.
    public init(
        owner: String, limit: LimitReport = LimitReport(), bytes: UInt64 = 0, quota: Quota? = nil,
        lastingQuota: Quota? = nil
    ) {
        self.owner = owner
        self.limit = limit
        self.bytes = bytes
        self.quota = quota
        self.lastingQuota = lastingQuota ?? quota
    }
}
