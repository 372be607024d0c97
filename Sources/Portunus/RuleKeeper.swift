import Rules

/// The recipient of a control plane's instructions. All methods return soon (at most some 10 ms) and may be
/// called from any thread, but one at a time.
package protocol RuleKeeper: Sendable {
    /// Begins a session, with the control plane's parameters for UDP flows; nil means the defaults.
    func welcome(flowIdle: Int?, maximumFlows: Int?)

    /// Carries a rule, changes the limit of one that is carried, or replaces one that had the number before.
    /// `done` is called once, within 1.5 s, with nil or why the rule cannot be carried.
    func push(_ rule: Rule, done: @escaping @Sendable (RuleRefusal?) -> Void)

    /// Stops a rule.
    /// - Returns: whether it existed.
    func remove(_ number: UInt64) -> Bool

    /// The numbers of the pushed rules that are carried.
    func carried() -> Set<UInt64>

    /// Stops all pushed rules except these, which a session has named.
    func keep(only numbers: Set<UInt64>)

    /// Changes an owner's limit; nil means unlimited.
    func setLimit(_ limit: RateLimit?, ofOwner owner: String)

    /// Changes an owner's quota; nil means unlimited.
    func setQuota(_ quota: Quota?, ofOwner owner: String)

    /// Traffic of the pushed rules; nil if there are none.
    func report() -> ServiceReport?

    /// Called whenever the connection state changes. The keeper is responsible for logging it.
    func stateChanged(_ state: PlaneState)
}
