import Host
import Packet
import Runtime
import Settings

/// When the tunnel's interface is compared with the kernel's state, and why the last comparison failed.
struct TunnelWatch {
    /// How often to look again for IPv6 that the host lacks, because the kernel sends no event for the switch.
    private static let familyInterval = Interval.seconds(10)
    /// The minimum time between two comparisons, because two programs may undo each other's changes.
    static let pause = Interval.milliseconds(50)

    private var problem = Notices()
    private var checkedAt = Instant.zero
    private var isStale = false

    var problems: [String] { problem.list }

    /// The kernel reports a change.
    /// - Returns: nil to compare at once; otherwise when to do so, together with the changes that follow
    ///   closely.
    mutating func noteChange(now: Instant) -> Instant? {
        if now - checkedAt >= Self.pause { return nil }
        isStale = true
        return checkedAt + Self.pause
    }

    /// Whether to compare without an event.
    /// - Parameter lacksFamily: whether the tunnel wants IPv6 that the host does not have.
    func isDue(lacksFamily: Bool, now: Instant) -> Bool {
        (isStale || lacksFamily || !problem.list.isEmpty)
            && now - checkedAt >= (isStale ? Self.pause : Self.familyInterval)
    }

    mutating func begin(now: Instant) { (checkedAt, isStale) = (now, false) }

    /// Notes why the comparison failed, nil if it did not.
    mutating func end(_ problem: String?, _ log: Log) { self.problem.replace(with: problem, log) }
}

// The tunnel's interface, which other programs may change.
extension Shared {
    /// The changes that a comparison has made to the tunnel.
    struct TunnelChange {
        /// Whether the tunnel has other addresses.
        var addresses = false
        /// Whether IPv6 came or went.
        var family = false
    }

    /// Gives the tunnel the addresses of the configuration, and these routes in the main table.
    /// - Throws: `HostError` with the first change that the kernel refuses.
    func setTunnel(routes: [CIDR]) throws(HostError) {
        var wanted = tunnel.desired
        (wanted.addresses, wanted.routes) = (configuration.tunnel.addresses, routes)
        try tunnel.apply(wanted, netlink, log)
    }

    /// Compares the tunnel's interface if the kernel reports a change that may concern it, and ends the daemon
    /// if the interface is gone.
    func followTunnel(_ events: [NetworkEvent], now: Instant) -> TunnelChange? {
        var isMeant = false
        for event in events {
            switch event {
            case .link(let interface): isMeant = isMeant || interface.index == tunnel.index
            case .linkDeleted(let index, _) where index == tunnel.index:
                fail(Self.deleted(tunnel.name))
                return nil
            case .linkDeleted: break
            case .addressAdded(let index, _), .addressRemoved(let index, _):
                isMeant = isMeant || index == tunnel.index
            // Any route may have replaced one of the tunnel's.
            case .routeChanged(_, let origin):
                isMeant = isMeant || !tunnel.desired.routes.isEmpty && origin != NetworkRoute.ownOrigin
            case .ruleChanged: break
            case .overflow: isMeant = true
            }
        }
        guard isMeant else { return nil }
        if let later = tunnelWatch.noteChange(now: now) {
            nextCheck = min(nextCheck, later)
            return nil
        }
        return checkTunnel(now: now)
    }

    /// Compares the tunnel's interface if that is due without an event.
    func watchTunnel(now: Instant) -> TunnelChange? {
        tunnelWatch.isDue(lacksFamily: tunnel.lacksIPv6, now: now) ? checkTunnel(now: now) : nil
    }

    /// Restores addresses and routes of the tunnel that are missing.
    private func checkTunnel(now: Instant) -> TunnelChange? {
        tunnelWatch.begin(now: now)
        let (addresses, lackedIPv6) = (tunnel.addresses, tunnel.lacksIPv6)
        do throws(HostError) {
            if try !tunnel.holds(netlink) { try tunnel.repair(netlink, log) }
            tunnelWatch.end(nil, log)
        } catch  where error.notThere && !tunnelExists {
            fail(Self.deleted(tunnel.name))
            return nil
        } catch {
            tunnelWatch.end(error.description, log)
        }
        return TunnelChange(
            addresses: tunnel.addresses != addresses, family: tunnel.lacksIPv6 != lackedIPv6)
    }

    private var tunnelExists: Bool { (try? netlink.interface(index: tunnel.index)) != .some(nil) }

    private static func deleted(_ name: String) -> String {
        "the interface \(name) was deleted while bondd used it; start bondd again (systemd does so on its own)"
    }

    /// The problems of the tunnel's interface, a sentence each.
    /// - Parameter routes: the host's.
    func tunnelProblems(_ routes: [NetworkRoute] = []) -> [String] {
        tunnelWatch.problems + tunnel.problems(routes, netlink)
    }
}
