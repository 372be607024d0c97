import Host
import Packet
import Scheduler
import Settings

// A client whose file names no path: every uplink of the host is one.
extension Daemon {
    /// How long a path is kept whose interface is gone. A modem that is plugged in again keeps its path.
    private static var patience: Interval { .seconds(600) }
    /// How many interfaces' settings are remembered.
    private static var mostRemembered: Int { 64 }

    /// Looks for uplinks that came or went.
    mutating func discover(now: Instant) {
        guard case .client(let client) = configuration.role, client.paths.isEmpty else { return }
        let found: [Uplink]
        let left: [NetworkInterface]
        do throws(HostError) {
            let tunnels = try HostRouting.owners(netlink).union([RoutingTable.short(tunnel.index)])
            let interfaces = try netlink.interfaces()
            found = Uplink.find(
                in: interfaces, routes: hostRoutes, discovery: client.discovery, besides: tunnels)
            left = Uplink.leftOut(
                of: interfaces, routes: hostRoutes, discovery: client.discovery, besides: tunnels)
        } catch {
            log(.warning, error.description)
            return
        }
        for path in paths {
            let isThere = found.contains { $0.interface.name == path.configuration.interface }
            path.absentSince = isThere ? nil : path.absentSince ?? now
            if let since = path.absentSince, now - since > Self.patience { forget(path, now: now) }
        }
        let newcomers = found.filter { uplink in
            !paths.contains { $0.configuration.interface == uplink.interface.name }
        }
        for uplink in newcomers {
            guard makeRoom(now: now) else {
                noteUplinks(
                    "the uplink \(uplink.interface.name) is not used, as a session has 16 paths at most")
                return
            }
            let name = uplink.interface.name
            log(.info, "an uplink was found", ["interface": name, "medium": "\(uplink.medium)"])
            addPath(remembered[name] ?? Configuration.Path(interface: name), client)
        }
        let reason =
            left.isEmpty
            ? "no interface that may be one has a default route"
            : "\(left.map(\.name).joined(separator: ", ")) would do but for being virtual; name what is an uplink in [discovery] include"
        noteUplinks(found.isEmpty ? "there is no uplink: \(reason)" : nil)
        noteLeftOut(found.isEmpty ? [] : left.map(\.reasonForLeavingOut))
    }

    /// Logs the interfaces with a default route that are left out, once each.
    private mutating func noteLeftOut(_ reasons: [String]) {
        for reason in reasons where !leftOutUplinks.contains(reason) { log(.warning, reason) }
        leftOutUplinks = reasons
    }

    /// Says what is amiss with the uplinks, once as long as it is.
    private mutating func noteUplinks(_ problem: String?) {
        if let problem, problem != uplinkProblem { log(.warning, problem) }
        uplinkProblem = problem
    }

    /// Whether there is room for one more path, if need be in place of one whose interface is gone.
    private mutating func makeRoom(now: Instant) -> Bool {
        guard paths.count >= Lanes.maximum else { return true }
        let absent = paths.filter { $0.absentSince != nil }
        guard let longest = absent.min(by: { $0.absentSince! < $1.absentSince! }) else { return false }
        forget(longest, now: now)
        return true
    }

    private mutating func forget(_ path: ClientPath, now: Instant) {
        checkUsage(now: now)
        remember(path)
        remove(path, now: now)
    }

    /// Keeps what was set of a path for when its interface comes back.
    mutating func remember(_ path: ClientPath) {
        let name = path.configuration.interface
        guard remembered[name] != nil || remembered.count < Self.mostRemembered else { return }
        remembered[name] = path.configuration
    }

    /// Takes a path away.
    mutating func remove(_ path: ClientPath, now: Instant) {
        plane.engine.removePath(path.id, now: now)
        for number in path.socketNumbers where Int(number) < plane.sockets.count {
            plane.sockets[Int(number)] = nil
        }
        paths.removeAll { $0 === path }
    }
}
