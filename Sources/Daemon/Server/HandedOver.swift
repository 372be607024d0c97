import ControlProtocol
import Engine
import Packet
import Proto
import Runtime
import Settings

/// A server's clients and invitations from bondd-control, in addition to the clients of its file.
struct HandedOver {
    private var kept: Kept<Handover>
    /// The public keys of clients that were revoked without bondd-control, until it hands over without them.
    private var revoked: Kept<[String]>
    private let log: Log

    /// Starts with the content of the files in `directory` for the tunnel with this interface.
    init(directory: String, interface: String, log: Log) {
        self.log = log
        kept = Kept(
            "\(directory)/\(interface).clients",
            damage: "its clients can't connect until bondd-control hands them over again",
            loss: "its clients can't connect after a restart until it can be written", log: log)
        revoked = Kept(
            "\(directory)/\(interface).revoked",
            damage: "clients that were revoked while bondd-control was away may connect",
            loss: "clients that were revoked may connect after a restart", log: log)
    }

    /// The last handover; nil if there never was one.
    var handover: Handover? { kept.content }

    /// The secrets from which its clients' preshared keys are derived.
    var roots: RootSecrets {
        RootSecrets(
            (handover?.secrets ?? []).compactMap {
                RootSecret(generation: $0.generation, base64: $0.secret)
            })
    }

    /// Replaces the handover, and begins to save it. Revocations that the new one includes are forgotten
    /// here.
    /// - Returns: whether it has changed.
    mutating func replace(with new: Handover, now: Instant) -> Bool {
        let isNew = kept.replace(with: new, now: now)
        if let keys = revoked.content, !keys.isEmpty {
            let clients = Set(new.clients.map(\.publicKey))
            revoked.replace(with: keys.filter(clients.contains), now: now)
        }
        return isNew
    }

    /// The keys of clients in the handover that were revoked here.
    var revokedKeys: [String] { revoked.content ?? [] }

    /// Whether there is a client of that name that was not revoked.
    func has(client name: String) -> Bool {
        handover?.clients.contains { $0.name == name && !revokedKeys.contains($0.publicKey) } ?? false
    }

    /// Leaves the client of that name out from here on, and begins to save the revocation.
    mutating func revoke(_ name: String, now: Instant) {
        let keys = handover?.clients.filter { $0.name == name }.map(\.publicKey) ?? []
        revoked.replace(with: revokedKeys + keys, now: now)
    }

    /// Whether the last handover is in the file, or why it is not; nil until that is known.
    var outcome: (isKept: Bool, problem: String)? { kept.outcome }
    /// The same for revocations made here.
    var revocationOutcome: (isKept: Bool, problem: String)? { revoked.outcome }

    /// When to call `save` again.
    func deadline(now: Instant) -> Instant { min(kept.deadline(now: now), revoked.deadline(now: now)) }

    /// Saves changes without waiting for the disk.
    mutating func save(now: Instant) {
        kept.save(now: now)
        revoked.save(now: now)
    }

    /// Saves changes, and waits for the disk.
    mutating func close(now: Instant) {
        kept.close(now: now)
        revoked.close(now: now)
    }

    /// The peers of the handover. Those that have a name, a key or an address of a client in the file are
    /// left out.
    func peers(
        besides known: [EngineConfiguration.Peer], _ tunnel: Configuration.Tunnel, mtu: Int,
        offer: Configuration.Offer
    ) -> [EngineConfiguration.Peer] {
        guard let handover else { return [] }
        var peers = known
        var names = Set(known.map(\.name))
        var keys = Set(known.map(\.publicKey))
        var addresses = Set(known.flatMap(\.addresses) + tunnel.addresses.map(\.address))
        peers.reserveCapacity(known.count + handover.clients.count + handover.invitations.count)
        let revoked = Set(revokedKeys)
        var networks = ClientNetworkList(of: known)
        var leftOut = Omissions(log)
        for client in handover.clients where !revoked.contains(client.publicKey) {
            guard let peer = EngineConfiguration.Peer(client, tunnel, mtu: mtu, offer: offer) else {
                leftOut.note(
                    "a client that was handed over is invalid and left out", ["client": client.publicKey])
                continue
            }
            let isNew =
                !names.contains(peer.name) && !keys.contains(peer.publicKey)
                && addresses.isDisjoint(with: peer.addresses)
            guard isNew else {
                leftOut.note(
                    "a client has the name, key or address of another, and is left out",
                    ["client": client.name])
                continue
            }
            names.insert(peer.name)
            keys.insert(peer.publicKey)
            addresses.formUnion(peer.addresses)
            peers.append(
                peer.withNetworks(networks.take(client.networks ?? [], of: peer.name, tunnel, &leftOut)))
        }
        for invitation in handover.invitations {
            guard let peer = EngineConfiguration.Peer(invitation), keys.insert(peer.publicKey).inserted else {
                leftOut.note(
                    "an invitation that was handed over is invalid and left out",
                    ["invitation": "\(invitation.id)"])
                continue
            }
            peers.append(peer)
        }
        leftOut.close()
        return Array(peers[known.count...])
    }
}

extension EngineConfiguration.Peer {
    /// A client from bondd-control; nil if its key, mode or addresses are invalid, or an address is outside
    /// the tunnel's networks.
    init?(_ client: HandedClient, _ tunnel: Configuration.Tunnel, mtu: Int, offer: Configuration.Offer) {
        let mode = client.mode.map { Mode(word: $0) } ?? tunnel.mode
        let addresses = client.addresses.compactMap { IPAddress($0) }
        guard let mode, let key = PublicKey(base64: client.publicKey),
            Label.isGood(client.name.utf8),
            addresses.count == client.addresses.count, !addresses.isEmpty,
            addresses.allSatisfy({ address in tunnel.addresses.contains { $0.contains(address) } })
        else { return nil }
        self.init(
            name: client.name, publicKey: key, presharedKey: .none, addresses: addresses, networks: [],
            tunnel,
            mode: mode, mtu: mtu, offer: offer)
    }

    /// The holder of an invitation; nil if its keys are invalid.
    init?(_ invitation: HandedInvitation) {
        guard let key = PublicKey(base64: invitation.publicKey),
            let presharedKey = PresharedKey(base64: invitation.presharedKey)
        else { return nil }
        // No client's name has a space.
        self.init(name: "invitation \(invitation.id)", publicKey: key, presharedKey: presharedKey)
        kind = .invitation(id: invitation.id)
    }
}
