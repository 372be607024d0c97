import CLinux
import Engine
import Host
import Packet
import Proto
import Scheduler
import Settings
import Transport

// A client's uplinks: followed as their interfaces come and go.
extension Daemon {
    /// How often paths that do not work are looked at, beside the kernel's events.
    private static var checkInterval: Interval { .seconds(1) }

    /// Sets up the paths of the configuration, or those that are found.
    mutating func connect(_ client: Configuration.Client) throws {
        for path in client.paths { addPath(path, client) }
        locateHardware()
        checkUsage(now: Instant.now)
        try tunnel.apply(
            addresses: configuration.tunnel.addresses, mtu: tunnel.mtu, routes: [], netlink: netlink)
        checkPaths(now: Instant.now)
    }

    mutating func addPath(_ path: Configuration.Path, _ client: Configuration.Client) {
        // The wire knows no ID twice.
        guard nextPathID < .max else {
            log(.error, "there are no more path IDs; restart bondd", ["path": path.name])
            return
        }
        let taken = paths.map(\.place)
        let place = (0..<UInt16.max / 2).first { !taken.contains($0) } ?? 0
        let added = ClientPath(id: nextPathID, place: place, configuration: path)
        nextPathID += 1
        added.endpoints = endpoints(of: path, client)
        paths.append(added)
    }

    /// Looks at every path: its interface, its socket, its endpoint.
    mutating func checkPaths(now: Instant) {
        nextCheck = now + Self.checkInterval
        guard case .client(let client) = configuration.role else { return }
        watchNameServers(now: now)
        if routesAreStale && readRoutes(now: now) { discover(now: now) }
        if paths.contains(where: { $0.configuration.hardware != nil && $0.configuration.interface.isEmpty }) {
            locateHardware()
        }
        watchTunnel(now: now)
        lookAtRouters(now: now)
        let working = workingPaths(now: now)
        lookUpNames(client, isOut: working.isEmpty, now: now)
        for path in paths {
            watchReach(of: path, isWorking: working.contains(path.id), isOut: working.isEmpty, now: now)
            follow(path, now: now)
        }
        permitEndpoints()
        if routingIsDue { updateRouting(now: now) }
    }

    /// The paths that are up.
    func workingPaths(now: Instant) -> Set<UInt16> {
        Set(plane.engine.reports(now: now).flatMap(\.paths).filter { $0.state == .up }.map(\.id))
    }

    /// Brings the Engine up to date with one path.
    mutating func follow(_ path: ClientPath, now: Instant) {
        slot(for: path)
        let (hadLinks, hadLocal, hadEndpoint) = (path.links, path.local, path.endpoint)
        let changed = path.follow(
            netlink, routes: hostRoutes, inUse: plane.engine.link(ofPath: path.id)?.remote,
            offload: configuration.tunnel.offload, log: log)
        installSockets(of: path)
        let links = path.links
        guard changed || links != hadLinks || !path.isKnownToEngine else { return }
        let isFirst = !path.isKnownToEngine && hadLinks.isEmpty
        routingIsDue = true
        path.isKnownToEngine = true
        // An address that changed leaves the link as it is, but what is under way may be lost: start over.
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
            log(.info, "path can't be used", ["path": name, "interface": interface, "reason": reason])
        } else {
            let local = path.local?.description ?? "-"
            log(.info, "path can be used", ["path": name, "interface": interface, "local": local])
        }
    }

    /// Has the table of sockets hold those of the path.
    private mutating func installSockets(of path: ClientPath) {
        for number in path.socketNumbers {
            let present = Int(number) < plane.sockets.count ? plane.sockets[Int(number)] : nil
            guard path.socket(number) !== present else { continue }
            if let new = path.socket(number) { install(new) } else { plane.sockets[Int(number)] = nil }
        }
    }

    /// - Parameter isCut: whether to say that there is no link, though there is: it is tried anew when that is said again.
    mutating func tellEngine(of path: ClientPath, asCut isCut: Bool = false, now: Instant) {
        permitEndpoints()
        let links = isCut ? [] : path.links
        plane.engine.setPath(
            path.id, name: path.configuration.name, role: path.role, capMbit: path.cap,
            link: links.first, others: Array(links.dropFirst()), mtu: path.mtu,
            isSpent: path.dataState == .spent, now: now)
    }

    /// The kernel says that something of the network changed.
    mutating func followInterfaces(now: Instant) {
        let events = networkEvents.readEvents()
        attendTunnel(events, now: now)
        guard plane.engine.isClient, !events.isEmpty else { return }
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
                // A route over several interfaces comes without one.
                case .routeChanged(let index, _):
                    index == path.interfaceIndex || path.interfaceIndex == 0 || index == 0
                case .ruleChanged: false
                case .overflow: true
                }
            }
            if isMeant { follow(path, now: now) }
        }
        if routingIsDue && !routesAreStale { updateRouting(now: now) }
    }

    /// Sending failed in a way that only the host can mend.
    mutating func pathFailed(_ failing: DataPlane.Failing, now: Instant) {
        guard plane.engine.isClient,
            let path = paths.first(where: { $0.socketNumbers.contains(failing.socket) })
        else { return }
        plane.engine.pathFailed(path.id, to: failing.isGone ? nil : failing.remote, now: now)
        guard failing.isGone else { return }
        path.drop()
        follow(path, now: now)
    }

    /// The server has told what the tunnel looks like.
    mutating func adopt(_ frame: AssignFrame) {
        guard case .client(let client) = configuration.role, frame != assignment else { return }
        assignment = frame
        let own = configuration.tunnel.addresses
        let assigned = frame.addresses.compactMap { CIDR($0.address, length: Int($0.prefix)) }
        let offered = frame.routes.compactMap { CIDR($0.address, length: Int($0.length)) }
        let addresses = own.isEmpty ? assigned : own
        let routes = lead(client.routes ?? offered, addresses: tunnel.usable(addresses))
        let lack = tunnel.lack
        do throws(HostError) {
            try tunnel.apply(addresses: addresses, mtu: mtu(frame), routes: routes, netlink: netlink)
            if tunnel.lack != lack { tellLack() }
            updateRouting(now: Instant.now)
            useNameServers(client, frame, routes: routes)
            shareTunnel(frame)
            let list = tunnel.addresses.map(\.description).joined(separator: " ")
            clinux_trim_heap()
            log(.info, "the tunnel is set up", ["addresses": list, "mtu": "\(tunnel.mtu)"])
        } catch {
            assignment = nil
            log(.error, error.description)
        }
    }

    /// The paths in use carry packets of up to so many bytes: unless the file has an MTU, the tunnel's follows.
    mutating func follow(reach packet: Int) {
        reach = packet
        guard let assignment, mtu(assignment) != tunnel.mtu else { return }
        do throws(HostError) {
            try tunnel.setMTU(mtu(assignment), netlink: netlink)
            log(.info, "the tunnel's MTU follows its paths", ["mtu": "\(tunnel.mtu)"])
        } catch {
            log(.error, error.description)
        }
    }

    /// The tunnel's MTU: at most what the server has, and what the paths carry. IPv6 has none below 1280 (RFC 8200), whatever
    /// they carry; there flows follow their SYN's clamped segment size.
    private func mtu(_ frame: AssignFrame) -> Int {
        let most = min(max(Int(frame.mtu), 576), PacketPool.maximumPacket)
        if let fixed = configuration.tunnel.mtu { return min(fixed, most) }
        let families = configuration.tunnel.addresses.map(\.address) + frame.addresses.map(\.address)
        return min(most, max(reach, families.contains { $0.family == .v6 } ? 1280 : 576))
    }

    /// Replaces the paths after a reload: those that stay, by name and interface, keep their ID and their session.
    mutating func replacePaths(_ client: Configuration.Client, now: Instant) {
        // What the paths that go have carried counts.
        checkUsage(now: now)
        remembered = [:]
        routesAreStale = true
        names.hurry()
        guard !client.paths.isEmpty else {
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
        for path in paths where !client.paths.contains(where: { path.isSame(as: $0) }) {
            remove(path, now: now)
        }
        for wanted in client.paths {
            if let path = paths.first(where: { $0.isSame(as: wanted) }) {
                let interface = path.configuration.interface
                path.configuration = wanted
                if wanted.hardware != nil { path.configuration.interface = interface }
                path.absentSince = nil
                path.isKnownToEngine = false
            } else {
                addPath(wanted, client)
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

    /// The cap in whole Mbit/s, at least one when there is one; 0 without.
    var cap: UInt32 {
        configuration.cap > 0 ? max(1, UInt32(min(configuration.cap, 1e6).rounded())) : 0
    }

    /// What it may carry in a month in bytes; nil without a cap.
    var dataCap: UInt64? {
        configuration.dataCap > 0 ? UInt64(configuration.dataCap * 1e9) : nil
    }
}
