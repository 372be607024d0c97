import Engine
import Host
import Packet
import Proto
import Settings

// Networks behind clients: a client shares its tunnel with its LAN, and a server routes networks to its clients.
extension Daemon {
    /// Client: lets the LAN have the tunnel as the server has assigned it.
    mutating func shareTunnel(_ frame: AssignFrame) {
        guard case .client(let client) = configuration.role else { return }
        var terms = LANShare.Terms()
        terms.families = Set(tunnel.addresses.map(\.address.family))
        terms.networks = frame.networks.compactMap { CIDR($0.address, length: Int($0.length))?.network }
        terms.resolvers = (client.dns ?? frame.dns).filter { server in
            let anywhere = server.family == .v4 ? anywhere.ipv4 : anywhere.ipv6
            return anywhere == .tunnel || tunnel.addresses.contains { $0.contains(server) }
        }
        firewall?.shareTunnel(terms)
    }

    /// Server: leads the clients' networks into the tunnel, and lets them leave by it.
    mutating func routeNetworks(of peers: [EngineConfiguration.Peer]) {
        let networks = peers.flatMap(\.networks).compactMap {
            CIDR($0.address, length: Int($0.length))?.network
        }
        firewall?.route(networks)
        do throws(HostError) {
            try tunnel.apply(
                addresses: configuration.tunnel.addresses, mtu: tunnel.mtu, routes: networks, netlink: netlink
            )
            networkProblem = nil
        } catch {
            let problem = "\(error.description); networks behind clients may not be reached"
            if problem != networkProblem { log(.warning, problem) }
            networkProblem = problem
        }
    }
}
