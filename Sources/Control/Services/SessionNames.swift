import Rules

/// The rules and owners that the present session of a control plane has named, and the meaning of its silence about others.
struct SessionNames {
    /// Rules that were pushed.
    private var rules: Set<UInt64> = []
    /// Owners whose limits were set or taken away.
    private var limits: Set<String> = []
    /// As `limits`, of quotas.
    private var quotas: Set<String> = []
    private var hasRuleUpdate = false
    /// Whether quotas came before any rule, as part of a replay. Portunus 3.1.0 replays none: it says a quota when it is changed,
    /// when its month begins, and once when it is used up.
    private var replaysQuotas = false
    /// When the session began, in seconds since 1970.
    private let began: Int64

    /// How long before a month's end a session must have begun to hear of the next one, in seconds: the control plane looks once a
    /// minute, by a clock of its own.
    private static let lead: Int64 = 120

    init(began: Int64) { self.began = began }

    mutating func push(_ number: UInt64) {
        rules.insert(number)
        hasRuleUpdate = true
    }

    mutating func remove(_ number: UInt64) {
        rules.remove(number)
        hasRuleUpdate = true
    }

    mutating func setLimit(of owner: String) { limits.insert(owner) }

    /// - Returns: whether it is the first time.
    mutating func setQuota(of owner: String) -> Bool {
        if !hasRuleUpdate { replaysQuotas = true }
        return quotas.insert(owner).inserted
    }

    /// Whether the session was told of a rule.
    func contains(_ number: UInt64) -> Bool { rules.contains(number) }

    /// Whether an owner has no limit any more, once all was said.
    func isGone(limitOf owner: String) -> Bool { !limits.contains(owner) }

    /// Whether an owner has no quota any more, once all was said. Without a replay of quotas silence means nothing.
    func isGone(quotaOf owner: String) -> Bool {
        replaysQuotas && hasRuleUpdate && !quotas.contains(owner)
    }

    /// Whether the session would have said a quota again when its month ended.
    func hears(endOf quota: Quota) -> Bool {
        let (latest, overflow) = quota.period.upperBound.subtractingReportingOverflow(Self.lead)
        return !overflow && began <= latest
    }
}
