import Engine
import Packet
import Proto
import Runtime
import Settings

extension EngineConfiguration.Peer {
    /// The same peer with the valid networks behind it; the others are left out and logged.
    /// - Parameter others: the peers whose networks they must not overlap.
    func withNetworks(
        _ texts: [String], _ tunnel: Configuration.Tunnel, besides others: [EngineConfiguration.Peer],
        _ log: Log
    ) -> EngineConfiguration.Peer {
        if texts.isEmpty { return self }
        let known = others.flatMap { other in
            other.networks.compactMap { network in
                CIDR(network.address, length: Int(network.length)).map { ($0, other.name) }
            }
        }
        var networks: [CIDR] = []
        for text in texts {
            do throws(ClientNetworks.Refusal) {
                networks.append(
                    try ClientNetworks.check(text, after: networks, tunnel: tunnel.addresses, others: known))
            } catch {
                log(.warning, "the network \(text) behind the client \(name) \(error.problem)")
            }
        }
        var peer = self
        peer.networks = networks.map { Prefix(address: $0.address, length: UInt8($0.length)) }
        peer.assignment?.networks = peer.networks
        return peer
    }
}

extension [EngineConfiguration.Peer] {
    /// Offers every client the networks behind the others, as many as fit into an ASSIGN after the file's own
    /// routes. A client that routes everything into the tunnel does not need them.
    mutating func offerNetworks() {
        let owned = enumerated().flatMap { index, peer in peer.networks.map { (index, $0) } }
        if owned.isEmpty { return }
        for index in indices {
            guard let routes = self[index].assignment?.routes else { continue }
            let room = Wire.maximumRoutes - routes.count
            self[index].assignment?.routes += owned.lazy.filter { $0.0 != index }.map(\.1).prefix(
                Swift.max(0, room))
        }
    }
}
