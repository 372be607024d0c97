import ControlProtocol
import Glibc
import Host
import Packet
import Runtime
import Settings

// A client's paths and names in the host's firewall.
extension Client {
    /// Looks up the server's names again, now that there is a tunnel: with the kill switch on and no tunnel,
    /// lookups went unanswered.
    func renewNames() {
        guard shared.firewall?.wantsKillSwitch == true else { return }
        if let nameNotice { shared.log(.warning, nameNotice) }
        names.hurry()
    }

    /// A sentence if the kill switch keeps names from being resolved; nil if it does not, or if that is not
    /// known yet.
    var nameNotice: String? {
        guard shared.firewall?.hasKillSwitch == true, assignment != nil else { return nil }
        let networks =
            settings.killSwitchAllowsLAN
            ? LocalNetwork.find(
                in: (try? shared.netlink.interfaces()) ?? [], routes: hostRoutes.list,
                besides: shared.tunnel.name) : []
        let reach = KillSwitchReach(
            tunnel: shared.tunnel.index, inside: shared.tunnel.networks,
            families: routing.ways.full, routes: hostRoutes.list, local: networks)
        return reach.notice(
            of: nameService.servers.isEmpty ? HostResolvers.read() : nameService.servers)
    }

    /// Tells the firewall the endpoints that paths use, before the Engine sends anything to them.
    func permitEndpoints() {
        shared.firewall?.permit(paths.flatMap { $0.endpoints + $0.usable })
    }
}

extension Configuration {
    /// Whether it can't be applied without a firewall.
    var needsFirewall: Bool {
        switch role {
        case .client(let client): client.killSwitch
        case .server(let server): server.nat?.enabled == true
        }
    }
}
