import Host
import Packet
import Scheduler
import Settings

// The tunnel's interface, as others may change it.
extension Daemon {
    /// How often IPv6 that the host lacks is looked for again, because the kernel sends no event for the switch.
    private static var familyInterval: Interval { .seconds(10) }
    /// The least time between two looks at the interface, because two programs may undo each other's changes.
    private static var tunnelPause: Interval { .milliseconds(50) }

    /// Looks at the tunnel's interface when the kernel tells of a change there, and ends the daemon when it is gone.
    mutating func attendTunnel(_ events: [NetworkEvent], now: Instant) {
        var isMeant = false
        for event in events {
            switch event {
            case .link(let interface): isMeant = isMeant || interface.index == tunnel.index
            case .linkDeleted(let index, _) where index == tunnel.index:
                fail(Self.deleted(tunnel.name))
                return
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
        guard isMeant else { return }
        // The first change is mended at once; those that follow closely are mended together.
        if now - tunnelCheckedAt >= Self.tunnelPause {
            mendTunnel(now: now)
        } else {
            tunnelIsStale = true
            nextCheck = min(nextCheck, tunnelCheckedAt + Self.tunnelPause)
        }
    }

    /// Restores missing addresses and routes of the tunnel, and logs once why one can't be.
    mutating func mendTunnel(now: Instant) {
        (tunnelCheckedAt, tunnelIsStale) = (now, false)
        let (addresses, lack) = (tunnel.addresses, tunnel.lack)
        do throws(HostError) {
            try tunnel.mend(netlink)
            tunnelProblem = nil
        } catch  where error.notThere && !tunnelExists {
            fail(Self.deleted(tunnel.name))
            return
        } catch {
            if error.description != tunnelProblem { log(.warning, error.description) }
            tunnelProblem = error.description
        }
        if tunnel.lack != lack {
            tellLack()
            if !plane.engine.isClient { replacePeers() }
        }
        guard tunnel.addresses != addresses, plane.engine.isClient else { return }
        routingIsDue = true
        // A family came or went, and with it the way of all that is not the tunnel's own.
        guard tunnel.lack != lack, let frame = assignment else { return }
        assignment = nil
        adopt(frame)
    }

    /// Mends the interface when a change is due, and looks for IPv6 again while the tunnel wants it and the host lacks it.
    mutating func watchTunnel(now: Instant) {
        let pause = tunnelIsStale ? Self.tunnelPause : Self.familyInterval
        guard tunnelIsStale || tunnel.lack != nil || tunnelProblem != nil, now - tunnelCheckedAt >= pause
        else { return }
        mendTunnel(now: now)
    }

    /// Says that IPv6 is left out, or no longer.
    func tellLack() {
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
        let routes = tunnel.conflicts.map { network in
            let other = hostRoutes.filter { $0.table == NetworkRoute.mainTable && $0.network == network }
                .compactMap { try? netlink.interface(index: $0.interface)?.name }.first
            return
                "the host has a route to \(network)\(other.map { " through \($0)" } ?? "") already, so it does not lead into the tunnel; remove that one (ip route del \(network)) or take it out of [tunnel] routes"
        }
        return [tunnel.lack.map(Self.sentence), tunnelProblem, tunnelFilterNotice].compactMap(\.self) + routes
            + leftOutListeners
    }
}
