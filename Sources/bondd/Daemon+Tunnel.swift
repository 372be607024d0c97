import Control
import Packet
import Scheduler
import Settings

// The tunnel's interface, as others may change it.
extension Daemon {
    /// How often IPv6 that the host lacks is looked for again, as the kernel does not tell of a switch.
    private static var familyInterval: Interval { .seconds(10) }

    /// Looks at the tunnel's interface when the kernel tells of a change there, and ends the daemon when it is gone.
    mutating func attendTunnel(_ events: [NetworkEvent], now: Instant) {
        var isMeant = false
        for event in events {
            switch event {
            case .link(let interface): isMeant = isMeant || interface.index == tunnel.index
            case .linkDeleted(let index, _) where index == tunnel.index:
                fail("the interface \(tunnel.name) was deleted under bondd; start bondd again, as systemd does by itself")
                return
            case .linkDeleted: break
            case .addressAdded(let index, _), .addressRemoved(let index, _):
                isMeant = isMeant || index == tunnel.index
            // Somebody else's route may stand where one of the tunnel's would.
            case .routeChanged(let index, let origin):
                isMeant = isMeant || index == tunnel.index && origin != NetworkRoute.ownOrigin
                    || !tunnel.conflicts.isEmpty
            case .ruleChanged: break
            case .overflow: isMeant = true
            }
        }
        if isMeant { mendTunnel(now: now) }
    }

    /// Puts back what is missing of the tunnel's addresses and routes, and says once what can't be.
    mutating func mendTunnel(now: Instant) {
        tunnelCheckedAt = now
        let (addresses, lack) = (tunnel.addresses, tunnel.lack)
        do throws(ControlError) {
            try tunnel.mend(netlink)
            tunnelProblem = nil
        } catch {
            if error.description != tunnelProblem { log(.warning, error.description) }
            tunnelProblem = error.description
        }
        if tunnel.lack != lack { tellLack() }
        guard tunnel.addresses != addresses, plane.engine.isClient else { return }
        routingIsDue = true
        // A family came or went, and with it the way of all that is not the tunnel's own.
        guard tunnel.lack != lack, let frame = assignment else { return }
        assignment = nil
        adopt(frame)
    }

    /// Looks whether the host has IPv6 by now, if the tunnel wants it and the host has not had it.
    mutating func lookForFamilies(now: Instant) {
        guard tunnel.lack != nil || tunnelProblem != nil, now - tunnelCheckedAt >= Self.familyInterval
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

    private static func sentence(_ lack: String) -> String {
        "\(lack), so the tunnel's IPv6 addresses are left out"
    }

    /// What is amiss with the tunnel's interface, a sentence each.
    var tunnelNotices: [String] {
        let routes = tunnel.conflicts.map { network in
            let other = hostRoutes.filter { $0.table == NetworkRoute.mainTable && $0.network == network }
                .compactMap { try? netlink.interface(index: $0.interface)?.name }.first
            return
                "the host has a route to \(network)\(other.map { " through \($0)" } ?? "") already, so it does not lead into the tunnel; remove that one (ip route del \(network)) or take it out of [tunnel] routes"
        }
        return [tunnel.lack.map(Self.sentence), tunnelProblem, tunnelFilterNotice].compactMap(\.self) + routes + leftOutListeners
    }
}
