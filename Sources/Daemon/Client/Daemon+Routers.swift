import Host
import Packet
import Scheduler
import Settings

// The routers of a client's paths: paths that share one, and networks that the kernel can't tell apart.
extension Daemon {
    /// How often neighbours are looked at, because the kernel learns their hardware addresses only when it needs them.
    private static var routerInterval: Interval { .seconds(5) }

    /// Notes on each path that shares its router with one before it.
    mutating func lookAtRouters(now: Instant) {
        guard now - routersCheckedAt >= Self.routerInterval else { return }
        routersCheckedAt = now
        relieveReversePaths()
        let neighbours = (try? netlink.neighbours()) ?? []
        let shared = FirstHop.shared(paths.compactMap { firstHop(of: $0, neighbours) })
        for path in paths {
            let twin = shared.first { $0.path == path.configuration.name }?.with
            let note = twin.map { twin in
                let router = twin.router.map { "by the router \($0)" } ?? "over the link"
                return
                    "it leaves \(router) as path \(twin.path) does, so the two share one link and fail together; give it another gateway"
            }
            // Another concern about its routes is graver.
            if path.concerns[.routing] == sharedRouters[path.id] { path.concerns[.routing] = note }
            sharedRouters[path.id] = path.concerns[.routing] == note ? note : nil
        }
    }

    /// Loosens the reverse-path filters of uplinks that overlap, and says so.
    mutating func relieveReversePaths() {
        let networks = Dictionary(
            grouping: hostRoutes.filter {
                $0.gateway == nil && $0.network.address.family == .v4 && (1..<32).contains($0.network.length)
            }, by: \.interface)
        var links: [ReversePathRelief.Link] = []
        for path in paths where path.interfaceIndex != 0 {
            let own = Set((networks[path.interfaceIndex] ?? []).map(\.network))
            let link = ReversePathRelief.Link(
                interface: path.configuration.interface, networks: own.sorted { "\($0)" < "\($1)" })
            if !links.contains(link) { links.append(link) }
        }
        let notices = relief.apply(links)
        for notice in notices where !reliefNotices.contains(notice) { log(.warning, notice) }
        reliefNotices = notices
    }

    /// Lets users reach this host through the tunnel from any address. A failure does not keep bondd from being ready.
    mutating func loosenTunnel() {
        do throws(HostError) {
            try ReversePath.loosen(interface: tunnel.name)
        } catch {
            let notice =
                "\(error.description), so hosts that reach this one through the tunnel may not be answered; set sysctl net.ipv4.conf.all.rp_filter to 0 or 2"
            log(.warning, notice)
            tunnelFilterNotice = notice
        }
    }

    private func firstHop(of path: ClientPath, _ neighbours: [Neighbour]) -> FirstHop? {
        guard path.interfaceIndex != 0, let local = path.local else { return nil }
        let routes = hostRoutes.filter {
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
