import Rules

/// Who carries what the control plane says. All functions return soon (at most some 10 ms) and may be called from any thread,
/// but one at a time.
public protocol RuleKeeper: Sendable {
    /// A session began: what the control plane says of UDP flows; nil: the defaults.
    func welcome(flowIdle: Int?, maximumFlows: Int?)

    /// Carries a rule, changes the limit of one that is carried, or replaces one that had the number before. `done` is called once, within 1.5 s, with nil or why it can't
    /// be carried.
    func push(_ rule: Rule, done: @escaping @Sendable (RuleRefusal?) -> Void)

    /// Stops a rule.
    /// - Returns: whether there was one.
    func remove(_ number: UInt64) -> Bool

    /// The numbers of the pushed rules that are carried.
    func carried() -> Set<UInt64>

    /// A session has named these: pushed rules but these are stopped.
    func keep(only numbers: Set<UInt64>)

    /// Changes an owner's limit; nil: none.
    func setLimit(_ limit: RateLimit?, ofOwner owner: String)

    /// Changes an owner's quota; nil: none.
    func setQuota(_ quota: Quota?, ofOwner owner: String)

    /// What pushed rules have carried; nil when there are none.
    func report() -> ServiceReport?

    /// How the connection is doing, in each case that it changes; the log is the keeper's to write.
    func stateChanged(_ state: PlaneState)
}
