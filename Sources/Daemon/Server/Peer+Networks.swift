import Engine
import Packet
import Proto
import Runtime
import Settings

/// The networks behind a server's clients, which do not overlap.
struct ClientNetworkList {
    /// The largest number of networks: each is a route of the host, and is compared with all others.
    static let most = 1024

    private var known: [(CIDR, String)]
    /// How many more texts are read. bondd-control has no say in how long bondd is busy with them.
    private var attempts = 2 * most

    /// The networks of these peers.
    init(of peers: [EngineConfiguration.Peer]) {
        known = peers.flatMap { peer in
            peer.networks.compactMap { network in
                CIDR(network.address, length: Int(network.length)).map { ($0, peer.name) }
            }
        }
    }

    /// Adds the networks behind one more client.
    /// - Returns: those of them that make sense.
    mutating func take(
        _ texts: [String], of client: String, _ tunnel: Configuration.Tunnel, _ leftOut: inout Omissions
    ) -> [CIDR] {
        var networks: [CIDR] = []
        for text in texts {
            guard known.count + networks.count < Self.most, attempts > 0 else {
                leftOut.note(
                    "a client has networks beyond the limit of \(Self.most) for all clients, which are left out",
                    ["client": client])
                break
            }
            attempts -= 1
            do throws(ClientNetworks.Refusal) {
                networks.append(
                    try ClientNetworks.check(text, after: networks, tunnel: tunnel.addresses, others: known))
            } catch {
                leftOut.note(
                    "a network behind a client is left out: it \(error.problem)",
                    ["client": client, "network": CIDR(text)?.description ?? "?"])
            }
        }
        known += networks.map { ($0, client) }
        return networks
    }
}

/// What is left out of a handover, in the log: the first few, and the number of the others.
struct Omissions {
    private static let most = 20

    private let log: Log
    private var count = 0

    init(_ log: Log) { self.log = log }

    mutating func note(_ sentence: String, _ facts: KeyValuePairs<String, String>) {
        count += 1
        if count <= Self.most { log(.warning, sentence, facts) }
    }

    /// Reports the others.
    func close() {
        guard count > Self.most else { return }
        log(.warning, "more of what was handed over is left out", ["omissions": "\(count - Self.most)"])
    }
}

extension EngineConfiguration.Peer {
    /// The same peer with these networks behind it.
    func withNetworks(_ networks: [CIDR]) -> EngineConfiguration.Peer {
        if networks.isEmpty { return self }
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
