import Engine
import Host
import Packet
import Proto
import Settings

// The networks behind a server's clients.
extension Server {
    /// Leads the clients' networks into the tunnel, and lets them leave by it.
    func routeNetworks(of peers: [EngineConfiguration.Peer]) {
        let networks = peers.flatMap(\.networks).compactMap {
            CIDR($0.address, length: Int($0.length))?.network
        }
        shared.firewall?.route(networks)
        do throws(HostError) {
            try shared.tunnel.apply(
                addresses: shared.configuration.tunnel.addresses, mtu: shared.tunnel.mtu, routes: networks,
                netlink: shared.netlink
            )
            networkProblem.replace(with: nil, shared.log)
        } catch {
            networkProblem.replace(
                with: "\(error.description); networks behind clients may not be reached", shared.log)
        }
    }
}
