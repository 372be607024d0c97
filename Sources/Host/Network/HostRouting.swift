/// Makes the host's routing match a `RoutingPlan` and removes it again. bondd's routes and rules are identified
/// by their origin and table numbers, so nothing has to be remembered: each call compares the actual state with
/// the plan and repairs the differences, even if another program removed something.
package struct HostRouting: Sendable {
    private let tunnel: UInt32

    /// The routing of the daemon whose tunnel interface has that index.
    package init(tunnel: UInt32) { self.tunnel = tunnel }

    /// The result of `apply`.
    package struct Outcome: Sendable {
        /// The slots whose tables have changed.
        package var changedSlots: Set<UInt32> = []
        /// Errors from the kernel.
        package var problems: [HostError] = []
    }

    /// Makes this daemon's routes and rules match the plan.
    /// - Parameter foreign: the host's routes relevant to paths (`RouteFilter.host`); nil means read them.
    package func apply(
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
        // Add routes before the rules that use them, and remove rules before the routes they use, so that
        // nothing leaks meanwhile.
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

    /// Removes all routes and rules of this daemon.
    package func clear(_ netlink: borrowing Netlink) throws(HostError) {
        try Self.remove(netlink) { $0 == RoutingTable.short(tunnel) }
    }

    /// Removes the routes and rules of daemons whose tunnel no longer exists, or has this index.
    /// - Returns: the number of routes and rules removed.
    @discardableResult package static func clean(
        _ netlink: borrowing Netlink, tunnel: UInt32? = nil
    ) throws(HostError) -> Int {
        let alive = Set(
            try netlink.interfaces().filter { $0.kind == "tun" && $0.index != tunnel }
                .map { RoutingTable.short($0.index) })
        return try remove(netlink) { !alive.contains($0) }
    }

    /// The tunnels of all daemons with routes or rules, as in `RoutingTable.short`.
    package static func owners(_ netlink: borrowing Netlink) throws(HostError) -> Set<UInt32> {
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

    /// The owner of a rule, determined by its table, or by its label if that is the main table.
    private static func owner(_ rule: RoutingRule) -> UInt32? {
        guard rule.origin == NetworkRoute.ownOrigin else { return nil }
        if let owner = RoutingTable.owner(of: rule.table) { return owner }
        // Only bits that do not affect matching identify the owner.
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
    /// Whether adding this route replaces the other.
    fileprivate func isInPlace(of other: NetworkRoute) -> Bool {
        table == other.table && network == other.network && metric == other.metric
    }
}
