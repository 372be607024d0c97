import Engine
import Host
import Packet
import Proto
import Scheduler
import Settings
import Transport

// The paths over a client's uplinks, as their interfaces come and go.
extension Client {
    /// The time between looks at paths, in addition to the kernel's events.
    private static var checkInterval: Interval { .seconds(1) }

    /// Sets up the paths of the configuration, or of the uplinks that are found.
    func connect() throws {
        for path in settings.paths { addPath(path) }
        locateHardware()
        checkUsage(now: .now)
        try shared.setTunnel(routes: [])
        checkPaths(now: .now)
    }

    /// Checks every path: its interface, its socket, its endpoint.
    func checkPaths(now: Instant) {
        shared.nextCheck = now + Self.checkInterval
        watchNameServers(now: now)
        if hostRoutes.isStale && readRoutes(now: now) { discover(now: now) }
        if paths.contains(where: {
            $0.configuration.hardware != nil && $0.configuration.interface.isEmpty
        }) {
            locateHardware()
        }
        follow(shared.watchTunnel(now: now))
        lookAtRouters(now: now)
        let working = workingPaths(now: now)
        lookUpNames(isOut: working.isEmpty, now: now)
        for path in paths {
            watchReach(of: path, isWorking: working.contains(path.id), isOut: working.isEmpty, now: now)
            follow(path, now: now)
        }
        permitEndpoints()
        if routing.isDue { updateRouting(now: now) }
    }

    /// The paths that are up.
    func workingPaths(now: Instant) -> Set<UInt16> {
        Set(plane.engine.reports(now: now).flatMap(\.paths).filter { $0.state == .up }.map(\.id))
    }

    /// Brings the Engine up to date with one path.
    func follow(_ path: ClientPath, now: Instant) {
        slot(for: path)
        let (hadLinks, hadLocal, hadEndpoint) = (path.links, path.local, path.endpoint)
        let changed = path.follow(
            shared.netlink, routes: hostRoutes.list,
            inUse: plane.engine.link(ofPath: path.id)?.remote,
            offload: shared.configuration.tunnel.offload, log: shared.log)
        installSockets(of: path)
        let links = path.links
        guard changed || links != hadLinks || !path.isKnownToEngine else { return }
        let isFirst = !path.isKnownToEngine && hadLinks.isEmpty
        routing.expire()
        path.isKnownToEngine = true
        // A new address leaves the link as it is, but data in flight may be lost: start over.
        if changed && !hadLinks.isEmpty && !links.isEmpty && path.endpoint == hadEndpoint {
            tellEngine(of: path, asCut: true, now: now)
        }
        tellEngine(of: path, now: now)
        guard path.dataState != .spent,
            isFirst || hadLinks.isEmpty != links.isEmpty || hadLocal != path.local
        else { return }
        let (name, interface) = (path.configuration.name, path.configuration.interface)
        if links.isEmpty {
            let isNever = path.configuration.role == .never
            let reason =
                path.note ?? (isNever ? "its role is never" : "no address of the server is known yet")
            shared.log(
                .info, "path can't be used", ["path": name, "interface": interface, "reason": reason])
        } else {
            let local = path.local?.description ?? "-"
            shared.log(.info, "path can be used", ["path": name, "interface": interface, "local": local])
        }
    }

    /// Installs the path's sockets in the data plane, and removes those that it no longer has.
    private func installSockets(of path: ClientPath) {
        for number in path.socketNumbers {
            guard path.socket(number) !== plane.socket(number) else { continue }
            if let new = path.socket(number) {
                install(new)
            } else {
                plane.removeSocket(number)
            }
        }
    }

    /// - Parameter isCut: whether to report no link although there is one, so that the Engine tries it again
    ///   with the next report.
    func tellEngine(of path: ClientPath, asCut isCut: Bool = false, now: Instant) {
        permitEndpoints()
        let links = isCut ? [] : path.links
        plane.engine.setPath(
            path.id, name: path.configuration.name, role: path.role, capMbit: path.cap,
            link: links.first, others: Array(links.dropFirst()), mtu: path.mtu,
            isSpent: path.dataState == .spent, now: now)
    }

    /// The kernel reports changes of the network.
    func follow(_ events: [NetworkEvent], now: Instant) {
        follow(shared.followTunnel(events, now: now))
        guard !events.isEmpty else { return }
        if events.contains(where: { event in
            switch event {
            case .link, .linkDeleted, .overflow: true
            default: false
            }
        }) {
            locateHardware()
        }
        if readRoutes(now: now) { discover(now: now) }
        for path in paths {
            let isMeant = events.contains { event in
                switch event {
                case .link(let interface): interface.name == path.configuration.interface
                case .linkDeleted(let index, let name):
                    name == path.configuration.interface || index == path.interfaceIndex
                case .addressAdded(let index, _), .addressRemoved(let index, _):
                    index == path.interfaceIndex || path.interfaceIndex == 0
                // A route over several interfaces is reported without one.
                case .routeChanged(let index, _):
                    index == path.interfaceIndex || path.interfaceIndex == 0 || index == 0
                case .ruleChanged: false
                case .overflow: true
                }
            }
            if isMeant { follow(path, now: now) }
        }
        if routing.isDue && !hostRoutes.isStale { updateRouting(now: now) }
    }

    /// Sending failed in a way that only the host can repair.
    func pathFailed(_ failing: DataPlane.Failing, now: Instant) {
        guard let path = paths.first(where: { $0.socketNumbers.contains(failing.socket) }) else {
            return
        }
        plane.engine.pathFailed(path.id, to: failing.isGone ? nil : failing.remote, now: now)
        guard failing.isGone else { return }
        path.drop()
        follow(path, now: now)
    }

    /// Replaces the paths after a reload: those that stay, by name and interface, keep their ID and their
    /// session.
    func replacePaths(now: Instant) {
        // The usage of removed paths counts as well.
        checkUsage(now: now)
        uplinks.forget()
        hostRoutes.expire()
        names.hurry()
        guard !settings.paths.isEmpty else {
            for path in paths {
                let fresh = Configuration.Path(interface: path.configuration.interface)
                if path.isSame(as: fresh) {
                    path.configuration = fresh
                    path.isKnownToEngine = false
                } else {
                    remove(path, now: now)
                }
            }
            checkPaths(now: now)
            return
        }
        for path in paths where !settings.paths.contains(where: { path.isSame(as: $0) }) {
            remove(path, now: now)
        }
        for wanted in settings.paths {
            if let path = paths.first(where: { $0.isSame(as: wanted) }) {
                let interface = path.configuration.interface
                path.configuration = wanted
                if wanted.hardware != nil { path.configuration.interface = interface }
                path.absentSince = nil
                path.isKnownToEngine = false
            } else {
                addPath(wanted)
            }
        }
        locateHardware()
        checkUsage(now: now)
        checkPaths(now: now)
    }
}

extension ClientPath {
    func isSame(as other: Configuration.Path) -> Bool {
        configuration.name == other.name && configuration.hardware == other.hardware
            && (other.hardware != nil || configuration.interface == other.interface)
            && configuration.endpoint == other.endpoint
    }

    /// The cap in whole Mbit/s, at least 1; 0 without a cap.
    var cap: UInt32 {
        configuration.cap > 0 ? max(1, UInt32(min(configuration.cap, 1e6).rounded())) : 0
    }

    /// The monthly cap in bytes; `nil` if the path has none.
    var dataCap: UInt64? {
        configuration.dataCap > 0 ? UInt64(configuration.dataCap * 1e9) : nil
    }
}
