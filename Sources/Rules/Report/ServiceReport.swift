/// What all rules have carried. All counters grow from when the rule was taken on; "in" is from end users to targets.
public struct ServiceReport: Hashable, Sendable {
    /// One a rule.
    public var rules: [RuleReport]
    /// One a port that looks at server names.
    public var listeners: [NameListenerReport]
    /// One an owner with limits or a quota.
    public var owners: [OwnerReport]

    /// A report.
    public init(rules: [RuleReport] = [], listeners: [NameListenerReport] = [], owners: [OwnerReport] = []) {
        self.rules = rules
        self.listeners = listeners
        self.owners = owners
    }
}

/// What limits did to an owner's rules.
public struct OwnerReport: Hashable, Sendable {
    /// Whose.
    public var owner: String
    /// What they did.
    public var limit: LimitReport
    /// What its rules have carried since they were taken on, both directions together, in bytes.
    public var bytes: UInt64
    /// Its quota, with what is left of it now; nil: none.
    public var quota: Quota?
    /// The quota to store: `quota`, but for a month that began only just, by a clock that may be wrong; see `QuotaMeter.lasting`.
    public var lastingQuota: Quota?

    /// A report.
    /// - Parameter lastingQuota: nil: the same as `quota`.
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
