/// Brings the host's routing to a `RoutingPlan` and back. What is bondd's is known by its origin and its tables' numbers,
/// so nothing need be remembered: each call looks at what there is and changes what is amiss, also when another program
/// took something away.
public struct HostRouting: Sendable {
    private let tunnel: UInt32

    /// The routing of the daemon that has the interface with that index.
    public init(tunnel: UInt32) { self.tunnel = tunnel }

    /// What a call of `apply` came to.
    public struct Outcome: Sendable {
        /// The slots whose tables have changed.
        public var changedSlots: Set<UInt32> = []
        /// What the kernel refused.
        public var problems: [HostError] = []
    }

    /// Makes this daemon's routes and rules those of the plan.
    /// - Parameter foreign: the host's routes as far as they concern paths (`RouteFilter.host`); nil: they are read.
    public func apply(
        _ plan: RoutingPlan, foreign: [NetworkRoute]? = nil, _ netlink: borrowing Netlink
    ) throws(HostError) -> Outcome {
        var foreign = foreign ?? []
        if foreign.isEmpty {
            foreign = try netlink.routes(.host(reaching: plan.paths.flatMap(\.endpoints)))
        }
        var (routes, rules) = (plan.routes(beside: foreign), plan.rules)
        if !HostFamilies.kernelHasIPv6 {
            routes.removeAll { $0.network.address.family == .v6 }
            rules.removeAll { $0.family == .v6 }
        }
        let ownRoutes = try netlink.routes(.own).filter(isOwn)
        let ownRules = try netlink.rules().filter { Self.owner($0) == RoutingTable.short(tunnel) }
        var outcome = Outcome()
        // New routes before the rules that lead to them, and old rules before what they led to: nothing escapes meanwhile.
        for route in routes where !ownRoutes.contains(route) {
            Self.attempt(&outcome) { () throws(HostError) in try netlink.setRoute(route) }
            if let slot = RoutingTable.slot(of: route.table) { outcome.changedSlots.insert(slot) }
        }
        for rule in rules where !ownRules.contains(rule) {
            Self.attempt(&outcome) { () throws(HostError) in try netlink.addRule(rule) }
            if let slot = RoutingTable.slot(of: rule.table) { outcome.changedSlots.insert(slot) }
        }
        for rule in ownRules where !rules.contains(rule) {
            Self.attempt(&outcome) { () throws(HostError) in try netlink.removeRule(rule) }
        }
        for route in ownRoutes where !routes.contains(where: { $0.isInPlace(of: route) }) {
            Self.attempt(&outcome) { () throws(HostError) in try netlink.removeRoute(route) }
            if let slot = RoutingTable.slot(of: route.table) { outcome.changedSlots.insert(slot) }
        }
        return outcome
    }

    /// Removes what this daemon has set.
    public func clear(_ netlink: borrowing Netlink) throws(HostError) {
        try Self.remove(netlink) { $0 == RoutingTable.short(tunnel) }
    }

    /// Removes what daemons left behind whose tunnel is gone, or has this index.
    /// - Returns: how many routes and rules that were.
    @discardableResult public static func clean(
        _ netlink: borrowing Netlink, tunnel: UInt32? = nil
    ) throws(HostError) -> Int {
        let alive = Set(
            try netlink.interfaces().filter { $0.kind == "tun" && $0.index != tunnel }
                .map { RoutingTable.short($0.index) })
        return try remove(netlink) { !alive.contains($0) }
    }

    /// The tunnels of all daemons that have set something, as `RoutingTable.short` says them.
    public static func owners(_ netlink: borrowing Netlink) throws(HostError) -> Set<UInt32> {
        Set(try netlink.rules().compactMap { owner($0) })
    }

    @discardableResult private static func remove(
        _ netlink: borrowing Netlink, where isMeant: (UInt32) -> Bool
    ) throws(HostError) -> Int {
        var count = 0
        var outcome = Outcome()
        for rule in try netlink.rules() where owner(rule).map(isMeant) == true {
            Self.attempt(&outcome) { () throws(HostError) in try netlink.removeRule(rule) }
            count += 1
        }
        for route in try netlink.routes(.own) {
            guard RoutingTable.owner(of: route.table).map(isMeant) == true else { continue }
            Self.attempt(&outcome) { () throws(HostError) in try netlink.removeRoute(route) }
            count += 1
        }
        if let problem = outcome.problems.first { throw problem }
        return count
    }

    /// Whose rule that is: its table says it, or its label when that is the main one.
    private static func owner(_ rule: RoutingRule) -> UInt32? {
        guard rule.origin == NetworkRoute.ownOrigin else { return nil }
        if let owner = RoutingTable.owner(of: rule.table) { return owner }
        // Only bits of the mark that don't count may say it.
        guard let mark = rule.mark, rule.mask & ~ReturnMark.mask == 0 else { return nil }
        return RoutingTable.owner(of: UInt32(NetworkRoute.ownOrigin) << 24 | mark & ~ReturnMark.mask)
    }

    private func isOwn(_ route: NetworkRoute) -> Bool {
        route.origin == NetworkRoute.ownOrigin
            && RoutingTable.owner(of: route.table) == RoutingTable.short(tunnel)
    }

    private static func attempt(_ outcome: inout Outcome, _ change: () throws(HostError) -> Void) {
        do throws(HostError) {
            try change()
        } catch  where error.alreadyThere || error.notThere {
            return
        } catch {
            outcome.problems.append(error)
        }
    }
}

extension NetworkRoute {
    /// Whether setting this route replaces the other.
    fileprivate func isInPlace(of other: NetworkRoute) -> Bool {
        table == other.table && network == other.network && metric == other.metric
    }
}
