import ControlProtocol
import Glibc
import Host
import Packet
import Runtime
import Settings

// The host's firewall.
extension Daemon {
    /// The firewall, if the kernel has one or the configuration needs it.
    static func firewall(
        _ configuration: Configuration, state: String, log: Log
    ) throws(HostError) -> HostFirewall? {
        do throws(HostError) {
            return try HostFirewall(configuration, state: state, log: log)
        } catch {
            if configuration.needsFirewall { throw error }
            log(.debug, error.description)
            return nil
        }
    }

    /// Looks up the server's names again, now that there is a tunnel: while the kill switch was on without one, nobody
    /// answered.
    mutating func renewNames() {
        guard firewall?.wantsKillSwitch == true else { return }
        if let nameNotice { log(.warning, nameNotice) }
        names.hurry()
    }

    /// A sentence when the kill switch keeps names from being resolved; nil when it does not, or when that is not known yet.
    var nameNotice: String? {
        guard firewall?.hasKillSwitch == true, assignment != nil,
            case .client(let client) = configuration.role
        else { return nil }
        let networks =
            client.killSwitchAllowsLAN
            ? LocalNetwork.find(
                in: (try? netlink.interfaces()) ?? [], routes: hostRoutes, besides: tunnel.name) : []
        let reach = KillSwitchReach(
            tunnel: tunnel.index, inside: tunnel.networks,
            families: [(IPAddress.Family.v4, anywhere.ipv4), (.v6, anywhere.ipv6)].filter { $0.1 == .tunnel }
                .map(\.0), routes: hostRoutes, local: networks)
        return reach.notice(of: nameService.servers.isEmpty ? HostResolvers.read() : nameService.servers)
    }

    /// Tells the firewall the endpoints that paths use, before the Engine sends anything to them.
    func permitEndpoints() {
        firewall?.permit(paths.flatMap { $0.endpoints + $0.usable })
    }

    /// `bondd unlock`
    mutating func unlock() -> Response {
        guard let firewall else { return .failed("this kernel has no nftables, so there is no kill switch") }
        // Answers may leave by the uplinks again.
        routingIsDue = true
        do throws(HostError) {
            return try firewall.unlock()
                ? .ok : .failed("there is no kill switch to lift; traffic may leave outside the tunnel")
        } catch {
            return .failed(error.description)
        }
    }
}

extension Configuration {
    /// Whether it can't be carried out without a firewall.
    var needsFirewall: Bool {
        switch role {
        case .client(let client): client.killSwitch
        case .server(let server): server.nat?.enabled == true
        }
    }
}
