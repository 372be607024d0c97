import Rules

/// Carries rules in this program: listens on their ports, and passes bytes and datagrams on, on a thread of its own. Every rule
/// is listened for here, also those that the kernel leads past this program, so that nobody else has their ports and there is
/// somebody when the kernel does not.
public final class Carrier: Sendable {
    /// Carries nothing yet.
    /// - Parameter reach: what targets may be, of rules that may not leave the tunnel.
    public init(reach: Reach) throws(CarrierError) {}

    /// The tunnel's networks changed.
    public func setReach(_ reach: Reach) {}

    /// Listens on the rule's ports, on every IPv4 and IPv6 address, and carries it from then on. It has returned when that is so.
    /// - Throws: why it can't; nothing has changed then.
    public func add(_ rule: Rule) throws(RuleRefusal) {}

    /// Stops listening at once; what is established may go on for `drain` seconds. The report has the rule until it is through.
    /// - Returns: whether there was such a rule.
    @discardableResult
    public func remove(_ id: RuleID, drain: Int = 30) -> Bool { false }

    /// Changes what a rule may take, for what is established, too.
    public func setLimit(_ limit: RateLimit, of id: RuleID) {}

    /// Changes what all rules of an owner may take together; nil: as much as they like.
    public func setLimit(_ limit: RateLimit?, ofOwner owner: String) {}

    /// Changes what an owner's rules may still carry; nil: as much as they like.
    public func setQuota(_ quota: Quota?, ofOwner owner: String) {}

    /// Counts what was carried for an owner elsewhere (in the kernel) against the quota.
    public func consume(_ bytes: UInt64, ofOwner owner: String) {}

    /// What the control plane says of UDP flows; nil: its default.
    /// - Parameters:
    ///   - idle: how long a silent one is kept, in seconds; 30 to 300.
    ///   - maximum: how many a rule may have; 1 to 65535.
    public func setFlows(idle: Int?, maximum: Int?) {}

    /// What was carried so far.
    public func report() -> ServiceReport { ServiceReport() }

    /// Ends everything.
    public func stop() {}
}
