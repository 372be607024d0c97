import Rules

/// The rules and owners that the present session of a control plane has named, and the meaning of its silence about others.
struct SessionNames {
    /// Rules that were pushed.
    private var rules: Set<UInt64> = []
    /// Owners whose limits were set or removed.
    private var limits: Set<String> = []
    /// Owners whose quotas were set or removed.
    private var quotas: Set<String> = []
    private var hasRuleUpdate = false
    /// Whether quotas came before any rule, as part of a replay. Portunus 3.1.0 replays none: it announces a
    /// quota when it is changed, when its month begins, and once when it is exhausted.
    private var replaysQuotas = false
    /// The Unix time when the session began, in seconds.
    private let began: Int64

    /// How long before a month's end a session must have begun to hear of the next one, in seconds: the control
    /// plane checks once a minute, by its own clock.
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

    /// Whether the session has named a rule.
    func contains(_ number: UInt64) -> Bool { rules.contains(number) }

    /// Whether an owner no longer has a limit, once the replay is complete.
    func isGone(limitOf owner: String) -> Bool { !limits.contains(owner) }

    /// Whether an owner no longer has a quota, once the replay is complete. Without a replay of quotas silence
    /// means nothing.
    func isGone(quotaOf owner: String) -> Bool {
        replaysQuotas && hasRuleUpdate && !quotas.contains(owner)
    }

    /// Whether the session would have announced a quota again when its month ended.
    func hears(endOf quota: Quota) -> Bool {
        let (latest, overflow) = quota.period.upperBound.subtractingReportingOverflow(Self.lead)
        return !overflow && began <= latest
    }
}
