import Control
import Packet
import Scheduler
import Settings

// A client's hold on its host's routing: a table for each path, and one for a full tunnel (see `RoutingPlan`).
extension Daemon {
    /// The least time between two looks at all routes, as some hosts have many that change often.
    private static var routingPause: Interval { .milliseconds(50) }

    /// Removes what daemons left behind that were killed.
    func cleanRouting() throws(ControlError) {
        let count = try HostRouting.clean(netlink, tunnel: tunnel.index)
        guard count > 0 else { return }
        log(.info, "routes and rules of a daemon that was killed are removed", ["count": "\(count)"])
    }

    /// Removes what this daemon has set.
    func undoRouting() {
        do throws(ControlError) {
            try HostRouting(tunnel: tunnel.index).clear(netlink)
        } catch {
            log(.error, error.description)
        }
    }

    /// Takes notice of the host's routes, unless that was only just.
    /// - Returns: whether it did; otherwise `nextCheck` is when it will.
    mutating func readRoutes(now: Instant) -> Bool {
        guard now - routesReadAt >= Self.routingPause else {
            routesAreStale = true
            nextCheck = min(nextCheck, routesReadAt + Self.routingPause)
            return false
        }
        (routesAreStale, routesReadAt, routingIsDue) = (false, now, true)
        do throws(ControlError) {
            hostRoutes = try netlink.routes().filter {
                $0.kind == .unicast && $0.table != NetworkRoute.localTable
                    && $0.origin != NetworkRoute.ownOrigin
            }
        } catch {
            log(.warning, error.description)
        }
        return true
    }

    /// Brings the host's routing up to date with the paths and the tunnel.
    mutating func updateRouting(now: Instant) {
        routingIsDue = false
        var plan = RoutingPlan(tunnel: tunnel.index)
        // Without its interface, as somebody has switched it off, the tunnel's routes are gone, and all would go beside.
        let isUp = (try? netlink.interface(index: tunnel.index))??.isUp ?? false
        func way(_ wanted: RoutingPlan.Anywhere) -> RoutingPlan.Anywhere {
            wanted == .tunnel && !isUp ? .refused : wanted
        }
        (plan.ipv4, plan.ipv6) = (way(anywhere.ipv4), way(anywhere.ipv6))
        (plan.addresses, plan.canReturn) = (tunnel.addresses.map(\.address), isUp)
        plan.returnMark = ReturnMark.value(interface: tunnel.name)
        for path in paths where path.interfaceIndex != 0 {
            guard let slot = slot(for: path) else { continue }
            plan.paths.append(
                RoutingPlan.Path(
                    slot: slot, interface: path.interfaceIndex, name: path.configuration.interface,
                    addresses: path.addresses, endpoints: path.endpoints.map(\.address),
                    gateways: path.configuration.gateways))
            plan.paths[plan.paths.count - 1].nameServers =
                names.outside.filter { $0.value == path.id }.map(\.key).sorted {
                    $0.description < $1.description
                }
        }
        leadAnswers(&plan)
        do throws(ControlError) {
            let outcome = try HostRouting(tunnel: tunnel.index).apply(plan, netlink)
            note(outcome.problems.map(\.description))
            if !outcome.changedSlots.isEmpty { nudge(outcome.changedSlots, now: now) }
        } catch {
            note([error.description])
        }
    }

    /// The slot of a path's table: its own, or the first that is free.
    private func slot(for path: ClientPath) -> UInt32? {
        if path.slot == nil {
            let taken = paths.compactMap(\.slot)
            path.slot = RoutingTable.pathSlots.first { !taken.contains($0) }
        }
        return path.slot
    }

    /// A way may have opened for a path that does not work: it is tried at once.
    private mutating func nudge(_ slots: Swift.Set<UInt32>, now: Instant) {
        let working = workingPaths(now: now)
        for path in paths where path.slot.map(slots.contains) == true && !working.contains(path.id) {
            guard path.isKnownToEngine, path.link != nil else { continue }
            tellEngine(of: path, asCut: true, now: now)
            tellEngine(of: path, now: now)
        }
    }

    /// Says what the kernel refuses, once as long as it does.
    private mutating func note(_ problems: [String]) {
        for problem in problems where !routingProblems.contains(problem) { log(.warning, problem) }
        routingProblems = problems
    }

    /// What is amiss with the host's routes and uplinks, a sentence each.
    var routingNotices: [String] { routingProblems + [uplinkProblem].compactMap(\.self) }

    /// Leads into the tunnel what its routes say.
    /// - Returns: those that the main table has; all of a family is a matter of rules.
    mutating func lead(_ routes: [CIDR], addresses: [CIDR]) -> [CIDR] {
        func way(_ family: IPAddress.Family) -> RoutingPlan.Anywhere {
            guard routes.contains(where: { $0.length == 0 && $0.address.family == family }) else {
                return .beside
            }
            return addresses.contains { $0.address.family == family } ? .tunnel : .refused
        }
        let now = (ipv4: way(.v4), ipv6: way(.v6))
        for (name, old, new) in [("IPv4", anywhere.ipv4, now.ipv4), ("IPv6", anywhere.ipv6, now.ipv6)]
        where new != old && new == .refused {
            log(.warning, "the server gives no \(name) address, so \(name) to anywhere is refused")
        }
        anywhere = now
        return routes.filter { $0.length > 0 }
    }
}
