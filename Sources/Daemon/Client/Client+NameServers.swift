import ControlProtocol
import Host
import Packet
import Proto
import Settings

// A client's name servers, from the first assignment until the end (see `NameService`).
extension Client {
    /// How soon to look for answers once name servers have been asked.
    private static var inquiryPace: Interval { .milliseconds(50) }

    /// Takes the name servers of the file and of an assignment.
    func useNameServers(_ frame: AssignFrame, routes: [CIDR]) {
        func isInside(_ server: IPAddress) -> Bool { routing.ways[server.family] == .tunnel }
        let networks = routes + shared.tunnel.addresses
        var basis = NameService.Basis()
        basis.file = settings.dns
        basis.offer = frame.dns.filter { server in
            isInside(server) || networks.contains { $0.contains(server) }
        }
        basis.fallback = NameServerChoice.fallback.filter(isInside)
        basis.isFull = !routing.ways.full.isEmpty
        basis.mayLeave = shared.firewall?.wantsKillSwitch != true
        if nameService.use(basis) { routing.expire() }
    }

    /// Follows which name servers answer, and what other programs do to the host's.
    func watchNameServers(now: Instant) {
        let uplinks = assignment == nil ? nil : nameUplinks(now: now)
        if nameService.attend(uplinks, direct: interfaceOutside, shared.log, now: now) {
            routing.expire()
        }
        if nameService.isAsking { shared.nextCheck = min(shared.nextCheck, now + Self.inquiryPace) }
    }

    private func nameUplinks(now: Instant) -> NameService.Uplinks {
        let working = workingPaths(now: now)
        var uplinks = NameService.Uplinks()
        for path in paths {
            if working.contains(path.id) {
                uplinks.up[path.id] = path.configuration.interface
            } else {
                uplinks.down.insert(path.configuration.interface)
            }
        }
        return uplinks
    }

    /// The interface by which a network of the host's own leads to a server, past a full tunnel.
    private func interfaceOutside(to server: IPAddress) -> String? {
        let routes = hostRoutes.list.filter {
            $0.table == NetworkRoute.mainTable && $0.network.length > 0 && $0.network.contains(server)
                && $0.interface != shared.tunnel.index
        }
        guard let route = routes.max(by: { $0.network.length < $1.network.length }) else { return nil }
        return paths.first { $0.interfaceIndex == route.interface }?.configuration.interface
            ?? (try? shared.netlink.interface(index: route.interface))??.name
    }

    /// The name servers for `status`; nil without a tunnel.
    var nameStatus: NamesStatus? {
        guard assignment != nil else { return nil }
        return nameService.status(
            Dictionary(uniqueKeysWithValues: paths.map { ($0.id, $0.configuration.interface) }))
    }
}
