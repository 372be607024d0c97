import Host
import Packet
import Scheduler
import Settings

// The routers of a client's paths: paths that share one, and networks that the kernel can't tell apart.
extension Client {
    /// Sets a note on each path that shares its router with an earlier one.
    func lookAtRouters(now: Instant) {
        guard routers.begin(now: now) else { return }
        relieveReversePaths()
        let neighbours = (try? shared.netlink.neighbours()) ?? []
        let shared = FirstHop.shared(paths.compactMap { firstHop(of: $0, neighbours) })
        for path in paths {
            let twin = shared.first { $0.path == path.configuration.name }?.with
            let note = twin.map { twin in
                let router = twin.router.map { "by the router \($0)" } ?? "over the link"
                return
                    "it leaves \(router) as path \(twin.path) does, so both share one link and fail together; give it another gateway"
            }
            path.concerns[.router] = note
        }
    }

    /// Loosens the reverse-path filters of uplinks whose networks overlap, with a notice.
    func relieveReversePaths() {
        let networks = Dictionary(
            grouping: hostRoutes.list.filter {
                $0.gateway == nil && $0.network.address.family == .v4
                    && (1..<32).contains($0.network.length)
            }, by: \.interface)
        var links: [ReversePathRelief.Link] = []
        for path in paths where path.interfaceIndex != 0 {
            let own = Set((networks[path.interfaceIndex] ?? []).map(\.network))
            let link = ReversePathRelief.Link(
                interface: path.configuration.interface, networks: own.sorted { "\($0)" < "\($1)" })
            if !links.contains(link) { links.append(link) }
        }
        routers.relieve(links, shared.log)
    }

    private func firstHop(of path: ClientPath, _ neighbours: [Neighbour]) -> FirstHop? {
        guard path.interfaceIndex != 0, let local = path.local else { return nil }
        let routes = hostRoutes.list.filter {
            $0.interface == path.interfaceIndex && $0.network.length == 0
                && $0.network.address.family == local.family
        }
        let best = routes.min {
            ($0.table == NetworkRoute.mainTable ? 0 : 1, $0.metric)
                < ($1.table == NetworkRoute.mainTable ? 0 : 1, $1.metric)
        }
        let router = path.configuration.gateways.first { $0.family == local.family } ?? best?.gateway
        let mac = neighbours.first { $0.interface == path.interfaceIndex && $0.address == router }?.mac
        return FirstHop(
            path: path.configuration.name, interface: path.interfaceIndex, local: local, router: router,
            mac: mac)
    }
}
