import Host
import Packet
import Scheduler
import Settings

// A client whose file names no path: every uplink of the host becomes one.
extension Client {
    /// The time for which a path without its interface is kept, so that a modem that is plugged in again
    /// keeps its path.
    private static var patience: Interval { .seconds(600) }

    /// Adds paths for new uplinks, and removes those whose uplink is gone for long.
    func discover(now: Instant) {
        guard settings.paths.isEmpty else { return }
        let found: [Uplink]
        let left: [NetworkInterface]
        do throws(HostError) {
            let tunnels = try HostRouting.owners(shared.netlink).union([
                RoutingTable.short(shared.tunnel.index)
            ])
            let interfaces = try shared.netlink.interfaces()
            found = Uplink.find(
                in: interfaces, routes: hostRoutes.list, discovery: settings.discovery, besides: tunnels)
            left = Uplink.leftOut(
                of: interfaces, routes: hostRoutes.list, discovery: settings.discovery, besides: tunnels)
        } catch {
            shared.log(.warning, error.description)
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
                uplinks.problem.replace(
                    with:
                        "the uplink \(uplink.interface.name) is not used, because a session has at most 16 paths; exclude one in [discovery]",
                    shared.log)
                return
            }
            let name = uplink.interface.name
            shared.log(.info, "an uplink was found", ["interface": name, "medium": "\(uplink.medium)"])
            addPath(uplinks.settings(of: name))
        }
        let reason =
            left.isEmpty
            ? "no interface that may be one has a default route; connect one, or check its DHCP client"
            : "\(left.map(\.name).joined(separator: ", ")) would qualify but for being virtual; name uplinks in [discovery] include"
        uplinks.problem.replace(with: found.isEmpty ? "there is no uplink: \(reason)" : nil, shared.log)
        uplinks.leftOut.replace(with: found.isEmpty ? [] : left.map(\.reasonForLeavingOut), shared.log)
    }

    /// Whether there is room for one more path; if necessary, removes one whose interface is gone.
    private func makeRoom(now: Instant) -> Bool {
        guard paths.count >= Lanes.maximum else { return true }
        let absent = paths.filter { $0.absentSince != nil }
        guard let longest = absent.min(by: { $0.absentSince! < $1.absentSince! }) else { return false }
        forget(longest, now: now)
        return true
    }

    private func forget(_ path: ClientPath, now: Instant) {
        checkUsage(now: now)
        uplinks.remember(path.configuration)
        remove(path, now: now)
    }
}
