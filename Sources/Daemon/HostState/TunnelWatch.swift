import Host
import Packet
import Settings

/// When the tunnel's interface is compared with the kernel's state, and the result of the last comparison.
struct TunnelWatch {
    /// How often IPv6 that the host lacks is looked for again, because the kernel sends no event for the
    /// switch.
    private static let familyInterval = Interval.seconds(10)
    /// The minimum time between two comparisons, because two programs may undo each other's changes.
    static let pause = Interval.milliseconds(50)

    private(set) var problem: String?
    private var checkedAt = Instant.zero
    private var isStale = false

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
        (isStale || lacksFamily || problem != nil)
            && now - checkedAt >= (isStale ? Self.pause : Self.familyInterval)
    }

    mutating func begin(now: Instant) { (checkedAt, isStale) = (now, false) }

    /// Notes what the comparison found.
    /// - Returns: whether the problem is another than before.
    mutating func end(_ problem: String?) -> Bool {
        defer { self.problem = problem }
        return problem != nil && problem != self.problem
    }
}

// The tunnel's interface, as others may change it.
extension Shared {
    /// A difference that mending the tunnel has made.
    struct TunnelChange {
        /// Whether the tunnel has other addresses.
        var addresses = false
        /// Whether IPv6 came or went.
        var family = false
    }

    /// Compares the tunnel's interface when the kernel reports a change there, and ends the daemon when it is
    /// gone.
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
            // Any route may have taken the place of one of the tunnel's.
            case .routeChanged(_, let origin):
                isMeant = isMeant || !tunnel.routes.isEmpty && origin != NetworkRoute.ownOrigin
            case .ruleChanged: break
            case .overflow: isMeant = true
            }
        }
        guard isMeant else { return nil }
        if let later = tunnelWatch.noteChange(now: now) {
            nextCheck = min(nextCheck, later)
            return nil
        }
        return mendTunnel(now: now)
    }

    /// Mends the interface when a change is due, and looks for IPv6 again while the tunnel wants it and the
    /// host lacks it.
    func watchTunnel(now: Instant) -> TunnelChange? {
        tunnelWatch.isDue(lacksFamily: tunnel.lack != nil, now: now) ? mendTunnel(now: now) : nil
    }

    /// Restores missing addresses and routes of the tunnel, and logs once why one can't be.
    private func mendTunnel(now: Instant) -> TunnelChange? {
        tunnelWatch.begin(now: now)
        let (addresses, lack) = (tunnel.addresses, tunnel.lack)
        do throws(HostError) {
            try tunnel.mend(netlink)
            _ = tunnelWatch.end(nil)
        } catch  where error.notThere && !tunnelExists {
            fail(Self.deleted(tunnel.name))
            return nil
        } catch {
            if tunnelWatch.end(error.description) { log(.warning, error.description) }
        }
        let change = TunnelChange(addresses: tunnel.addresses != addresses, family: tunnel.lack != lack)
        if change.family { reportLack() }
        return change
    }

    /// Logs that IPv6 is left out, or no longer.
    func reportLack() {
        if let lack = tunnel.lack {
            log(.warning, Self.sentence(lack))
        } else {
            log(.info, "the tunnel has its IPv6 addresses now")
        }
    }

    private var tunnelExists: Bool { (try? netlink.interface(index: tunnel.index)) != .some(nil) }

    private static func deleted(_ name: String) -> String {
        "the interface \(name) was deleted while bondd used it; start bondd again (systemd does so on its own)"
    }

    private static func sentence(_ lack: String) -> String {
        "\(lack), so the tunnel's IPv6 addresses are left out"
    }

    /// The problems of the tunnel's interface, a sentence each.
    var tunnelNotices: [String] {
        [tunnel.lack.map(Self.sentence), tunnelWatch.problem].compactMap(\.self)
    }

    /// The routes that the host has in a place where the tunnel's would be, a sentence each.
    /// - Parameter routes: the host's.
    func conflictNotices(_ routes: [NetworkRoute]) -> [String] {
        tunnel.conflicts.map { network in
            let other = routes.filter { $0.table == NetworkRoute.mainTable && $0.network == network }
                .compactMap { try? netlink.interface(index: $0.interface)?.name }.first
            return
                "the host has a route to \(network)\(other.map { " through \($0)" } ?? "") already, so it does not lead into the tunnel; remove that one (ip route del \(network)) or take it out of [tunnel] routes"
        }
    }
}
