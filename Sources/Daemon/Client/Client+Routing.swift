import Host
import Packet
import Scheduler
import Settings

// A client's routing on its host: a table for each path, and one for a full tunnel (see `RoutingPlan`).
extension Client {
    /// Removes this daemon's routes and rules.
    func undoRouting() {
        do throws(HostError) {
            try HostRouting(tunnel: shared.tunnel.index).clear(shared.netlink)
        } catch {
            shared.log(.error, error.description)
        }
    }

    /// Reads the host's routes, unless the last read is too recent.
    /// - Returns: whether they were read; otherwise `nextCheck` is when they will be.
    func readRoutes(now: Instant) -> Bool {
        if let later = hostRoutes.begin(now: now) {
            shared.nextCheck = min(shared.nextCheck, later)
            return false
        }
        routing.expire()
        do throws(HostError) {
            hostRoutes.replace(
                with: try shared.netlink.routes(
                    .host(reaching: paths.flatMap { $0.endpoints.map(\.address) })))
        } catch {
            shared.log(.warning, error.description)
        }
        shared.firewall?.followNetworks()
        // Of several interfaces with the same MAC address, the one with a default route counts.
        if paths.contains(where: { $0.configuration.hardware != nil }) { locateHardware() }
        hostRoutes.end(after: .now - now)
        return true
    }

    /// Brings the host's routing up to date with the paths and the tunnel.
    func updateRouting(now: Instant) {
        let tunnel = shared.tunnel
        let isUp = (try? shared.netlink.interface(index: tunnel.index))??.isUp ?? false
        var plan = routing.desired(
            tunnel: tunnel.index, named: tunnel.name, addresses: tunnel.addresses, isUp: isUp)
        plan.paths = paths.compactMap(routed)
        leadAnswers(&plan)
        plan.uplinks = uplinkAddresses
        relieveReversePaths()
        let changed = routing.apply(
            plan, existing: hostRoutes.list, routes: tunnel.desired.routes, shared.netlink, shared.log)
        if !changed.isEmpty { nudge(changed, now: now) }
    }

    /// A path as routing sees it; nil while it has no interface.
    private func routed(_ path: ClientPath) -> RoutingPlan.Path? {
        guard path.interfaceIndex != 0, let slot = slot(for: path) else { return nil }
        var routed = RoutingPlan.Path(
            slot: slot, interface: path.interfaceIndex, name: path.configuration.interface,
            addresses: path.addresses, endpoints: path.destinations, gateways: path.configuration.gateways)
        routed.nameServers = nameService.servers(over: path.id)
        return routed
    }

    /// The addresses of paths' interfaces, usable or not, and of others with a default route.
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

    /// Tries paths that do not work again at once, because a route may have opened for them.
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
        routing.problems + uplinks.notices + routers.notices + hardware.notices + routers.tunnelNotices
            + shared.tunnelProblems(hostRoutes.list)
    }
}
