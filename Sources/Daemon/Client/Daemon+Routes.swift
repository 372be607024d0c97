import Host
import Packet
import Scheduler
import Settings

// A client's hold on its host's routing: a table for each path, and one for a full tunnel (see `RoutingPlan`).
extension Daemon {
    /// The least time between two looks at all routes, as some hosts have many that change often.
    private static var routingPause: Interval { .milliseconds(50) }

    /// Removes what daemons left behind that were killed.
    func cleanRouting() throws(HostError) {
        let count = try HostRouting.clean(netlink, tunnel: tunnel.index)
        guard count > 0 else { return }
        log(.info, "routes and rules of a daemon that was killed are removed", ["count": "\(count)"])
    }

    /// Removes what this daemon has set.
    func undoRouting() {
        do throws(HostError) {
            try HostRouting(tunnel: tunnel.index).clear(netlink)
        } catch {
            log(.error, error.description)
        }
    }

    /// Takes notice of the host's routes, unless that was only just.
    /// - Returns: whether it did; otherwise `nextCheck` is when it will.
    mutating func readRoutes(now: Instant) -> Bool {
        guard now - routesReadAt >= routingPause else {
            routesAreStale = true
            nextCheck = min(nextCheck, routesReadAt + routingPause)
            return false
        }
        (routesAreStale, routesReadAt, routingIsDue) = (false, now, true)
        do throws(HostError) {
            hostRoutes = try netlink.routes(
                .host(reaching: paths.flatMap { $0.endpoints.map(\.address) }))
        } catch {
            log(.warning, error.description)
        }
        firewall?.followNetworks()
        // Of several interfaces with one MAC address the uplink is meant.
        if paths.contains(where: { $0.configuration.hardware != nil }) { locateHardware() }
        // The longer a look takes, the longer the pause before the next: some hosts have a million routes.
        let time = Instant.now - now
        routingPause = min(max(Self.routingPause, time + time + time + time + time), .seconds(5))
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
                    addresses: path.addresses, endpoints: path.destinations,
                    gateways: path.configuration.gateways))
            plan.paths[plan.paths.count - 1].nameServers =
                nameService.outside.filter { $0.value == path.id }.map(\.key).sorted {
                    $0.description < $1.description
                }
        }
        leadAnswers(&plan)
        plan.uplinks = uplinkAddresses
        relieveReversePaths()
        do throws(HostError) {
            let outcome = try HostRouting(tunnel: tunnel.index).apply(plan, foreign: hostRoutes, netlink)
            noteBypass(uplinks: Set(plan.uplinks.keys), plan.bypass(of: hostRoutes))
            note(outcome.problems.map(\.description))
            if !outcome.changedSlots.isEmpty { nudge(outcome.changedSlots, now: now) }
        } catch {
            note([error.description])
        }
    }

    /// The interfaces of paths, usable or not, and others with a default route of the host's, with their addresses.
    private var uplinkAddresses: [UInt32: [IPAddress]] {
        let names = Set(paths.map(\.configuration.interface))
        let ways = Set(
            hostRoutes.filter { $0.network.length == 0 && $0.table == NetworkRoute.mainTable }.map(
                \.interface))
        var addresses: [UInt32: [IPAddress]] = [:]
        for interface in (try? netlink.interfaces()) ?? [] {
            let isWay = ways.contains(interface.index) && Uplink.isPossible(interface)
            guard isWay || names.contains(interface.name), interface.index != tunnel.index else { continue }
            addresses[interface.index] =
                ((try? netlink.addresses(ofInterface: interface.index)) ?? []).map(\.address)
        }
        return addresses
    }

    /// The slot of a path's table: its own, or the first that is free.
    @discardableResult func slot(for path: ClientPath) -> UInt32? {
        if path.slot == nil {
            let taken = paths.compactMap(\.slot)
            path.slot = RoutingTable.pathSlots.first { !taken.contains($0) }
        }
        return path.slot
    }

    /// A way may have opened for a path that does not work: it is tried at once.
    private mutating func nudge(_ slots: Set<UInt32>, now: Instant) {
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
    var routingNotices: [String] {
        routingProblems + [uplinkProblem].compactMap(\.self) + leftOutUplinks + bypassNotices + reliefNotices
            + hardwareNotices.sorted { $0.key < $1.key }.map(\.value) + tunnelNotices
    }

    /// Notes the routes that lead past the tunnel, or would, and logs each once.
    private mutating func noteBypass(uplinks: Set<UInt32>, _ bypass: RouteGuard) {
        let notices =
            [
                sentence(bypass.overruled, "would lead past the tunnel and is overruled while bondd runs"),
                sentence(
                    bypass.unguarded,
                    "leads past the tunnel, as these are addresses of the uplink's own network"
                ),
                sentence(
                    RouteGuard.narrower(hostRoutes, than: tunnel.routes, uplinks: uplinks),
                    "leads past the tunnel, as it is narrower than one of [tunnel] routes"),
            ].compactMap(\.self)
        for notice in notices where !bypassNotices.contains(notice) { log(.warning, notice) }
        bypassNotices = notices
    }

    private func sentence(_ routes: [NetworkRoute], _ what: String) -> String? {
        let named = routes.prefix(3).map { route in
            let name =
                (try? netlink.interface(index: route.interface))??.name ?? "interface \(route.interface)"
            return "\(route.network) through \(name)"
        }
        guard !named.isEmpty else { return nil }
        let more = routes.count > named.count ? " (and \(routes.count - named.count) more)" : ""
        return "the route to \(named.joined(separator: ", "))\(more) \(what)"
    }

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
        where new != old && new == .refused
            && (name == "IPv4" || HostFamilies.lackOfIPv6(interface: tunnel.name) == nil)
        {
            log(.warning, "the server gives no \(name) address, so \(name) to anywhere is refused")
        }
        anywhere = now
        return routes.filter { $0.length > 0 }
    }
}
