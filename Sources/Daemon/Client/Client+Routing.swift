import Host
import Packet
import Scheduler
import Settings

// A client's hold on its host's routing: a table for each path, and one for a full tunnel (see
// `RoutingPlan`).
extension Client {
    /// Removes what this daemon has set.
    func undoRouting() {
        do throws(HostError) {
            try HostRouting(tunnel: shared.tunnel.index).clear(shared.netlink)
        } catch {
            shared.log(.error, error.description)
        }
    }

    /// Reads the host's routes, unless that was done too short a time ago.
    /// - Returns: whether they were read; otherwise `nextCheck` is when they will be.
    func readRoutes(now: Instant) -> Bool {
        if let later = hostRoutes.begin(now: now) {
            shared.nextCheck = min(shared.nextCheck, later)
            return false
        }
        routing.isDue = true
        do throws(HostError) {
            hostRoutes.replace(
                with: try shared.netlink.routes(
                    .host(reaching: paths.flatMap { $0.endpoints.map(\.address) })))
        } catch {
            shared.log(.warning, error.description)
        }
        shared.firewall?.followNetworks()
        // Of several interfaces with one MAC address the uplink is meant.
        if paths.contains(where: { $0.configuration.hardware != nil }) { locateHardware() }
        hostRoutes.end(after: .now - now)
        return true
    }

    /// Brings the host's routing up to date with the paths and the tunnel.
    func updateRouting(now: Instant) {
        routing.isDue = false
        var plan = RoutingPlan(tunnel: shared.tunnel.index)
        // While the interface is switched off the tunnel's routes are gone, and everything would leave
        // outside the tunnel.
        let isUp = (try? shared.netlink.interface(index: shared.tunnel.index))??.isUp ?? false
        func way(_ wanted: RoutingPlan.Anywhere) -> RoutingPlan.Anywhere {
            wanted == .tunnel && !isUp ? .refused : wanted
        }
        (plan.ipv4, plan.ipv6) = (way(routing.ways.ipv4), way(routing.ways.ipv6))
        (plan.addresses, plan.canReturn) = (shared.tunnel.addresses.map(\.address), isUp)
        plan.returnMark = ReturnMark.value(interface: shared.tunnel.name)
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
            let outcome = try HostRouting(tunnel: shared.tunnel.index).apply(
                plan, foreign: hostRoutes.list, shared.netlink)
            noteBypass(uplinks: Set(plan.uplinks.keys), plan.bypass(of: hostRoutes.list))
            routing.problems.replace(with: outcome.problems.map(\.description), shared.log)
            if !outcome.changedSlots.isEmpty { nudge(outcome.changedSlots, now: now) }
        } catch {
            routing.problems.replace(with: error.description, shared.log)
        }
    }

    /// The interfaces of paths, usable or not, and others with a default route of the host's, with their
    /// addresses.
    private var uplinkAddresses: [UInt32: [IPAddress]] {
        let names = Set(paths.map(\.configuration.interface))
        let ways = hostRoutes.defaultInterfaces
        var addresses: [UInt32: [IPAddress]] = [:]
        for interface in (try? shared.netlink.interfaces()) ?? [] {
            let isWay = ways.contains(interface.index) && Uplink.isPossible(interface)
            guard isWay || names.contains(interface.name), interface.index != shared.tunnel.index else {
                continue
            }
            addresses[interface.index] =
                ((try? shared.netlink.addresses(ofInterface: interface.index)) ?? []).map(\.address)
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
    private func nudge(_ slots: Set<UInt32>, now: Instant) {
        let working = workingPaths(now: now)
        for path in paths where path.slot.map(slots.contains) == true && !working.contains(path.id) {
            guard path.isKnownToEngine, path.link != nil else { continue }
            tellEngine(of: path, asCut: true, now: now)
            tellEngine(of: path, now: now)
        }
    }

    /// The problems of the host's routes and uplinks and of the tunnel's interface, a sentence each.
    var routingNotices: [String] {
        routing.problems.list + uplinks.notices + routing.bypass.list + routers.notices
            + hardware.notices
            + shared.tunnelNotices + routers.tunnelNotices + shared.conflictNotices(hostRoutes.list)
    }

    /// Notes the routes that lead past the tunnel, or would, and logs each once.
    private func noteBypass(uplinks: Set<UInt32>, _ bypass: RouteGuard) {
        let notices =
            [
                sentence(bypass.overruled, "would lead past the tunnel and is overruled while bondd runs"),
                sentence(
                    bypass.unguarded,
                    "leads past the tunnel, as these are addresses of the uplink's own network"
                ),
                sentence(
                    RouteGuard.narrower(hostRoutes.list, than: shared.tunnel.routes, uplinks: uplinks),
                    "leads past the tunnel, as it is narrower than one of [tunnel] routes"),
            ].compactMap(\.self)
        routing.bypass.replace(with: notices, shared.log)
    }

    private func sentence(_ routes: [NetworkRoute], _ what: String) -> String? {
        let named = routes.prefix(3).map { route in
            let name =
                (try? shared.netlink.interface(index: route.interface))??.name
                ?? "interface \(route.interface)"
            return "\(route.network) through \(name)"
        }
        guard !named.isEmpty else { return nil }
        let more = routes.count > named.count ? " (and \(routes.count - named.count) more)" : ""
        return "the route to \(named.joined(separator: ", "))\(more) \(what)"
    }

    /// Decides what goes into the tunnel by its routes.
    /// - Returns: the routes for the main table; all of a family is a matter of rules.
    func planTunnelRoutes(_ routes: [CIDR], addresses: [CIDR]) -> [CIDR] {
        func way(_ family: IPAddress.Family) -> RoutingPlan.Anywhere {
            guard routes.contains(where: { $0.length == 0 && $0.address.family == family }) else {
                return .beside
            }
            return addresses.contains { $0.address.family == family } ? .tunnel : .refused
        }
        let now = TunnelRouting.Ways(ipv4: way(.v4), ipv6: way(.v6))
        for (name, family) in [("IPv4", IPAddress.Family.v4), ("IPv6", .v6)]
        where now[family] != routing.ways[family] && now[family] == .refused
            && (family == .v4 || HostFamilies.lackOfIPv6(interface: shared.tunnel.name) == nil)
        {
            shared.log(.warning, "the server gives no \(name) address, so \(name) to anywhere is refused")
        }
        routing.ways = now
        return routes.filter { $0.length > 0 }
    }
}
