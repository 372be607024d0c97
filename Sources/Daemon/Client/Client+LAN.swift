import Host
import Packet
import Proto
import Settings

// The networks behind a client that share its tunnel.
extension Client {
    /// Shares the tunnel with the LAN, as assigned by the server.
    func shareTunnel(_ frame: AssignFrame) {
        var terms = LANShare.Terms()
        terms.families = Set(shared.tunnel.addresses.map(\.address.family))
        terms.networks = frame.networks.compactMap { CIDR($0.address, length: Int($0.length))?.network }
        terms.resolvers = (settings.dns ?? frame.dns).filter { server in
            routing.ways[server.family] == .tunnel
                || shared.tunnel.addresses.contains { $0.contains(server) }
        }
        shared.firewall?.shareTunnel(terms)
    }
}
