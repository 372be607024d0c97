import ControlProtocol
import Engine
import Host
import Packet
import Proto
import Settings

/// Names a program on the daemon's control socket.
typealias ControlClientID = ControlSocket<Request, Response>.ClientID

// A server's clients: those of its file, those that bondd-control hands over, and those that are about to be.
extension Server {
    /// The peers of a server, each with its data thread.
    static func peers(
        _ configuration: Configuration, _ handed: HandedOver, mtu: Int, _ owners: inout Owners
    ) -> [EngineConfiguration.Peer] {
        var peers = EngineConfiguration(configuration, mtu: mtu).peers
        if case .server(let server) = configuration.role {
            peers += handed.peers(beside: peers, configuration.tunnel, mtu: mtu, offer: server.offer)
            peers.offerNetworks()
        }
        owners.assign(&peers)
        // A client that is given addresses which this host can't answer from would wait for answers in vain.
        if HostFamilies.lackOfIPv6(interface: configuration.tunnel.interface) != nil {
            for i in peers.indices { peers[i].leaveOutIPv6() }
        }
        return peers
    }

    /// Replaces the clients that bondd-control has handed over. It is answered when they are on the disk.
    /// - Parameter digest: that of the configuration in force.
    func take(_ handover: Handover, digest: String, from client: ControlClientID, now: Instant) {
        if let wanted = handover.configuration, wanted != digest {
            shared.control.reply(.failed(Self.otherConfiguration), to: client)
            return
        }
        if handed.replace(with: handover, now: now) { replacePeers() }
        handovers.append(client)
    }

    private static var otherConfiguration: String {
        "these clients have addresses by another configuration than bondd has; reload or restart bondd, or put the file back"
    }

    /// Brings all data threads up to date with who may connect.
    func replacePeers() {
        var peers = Self.peers(shared.configuration, handed, mtu: shared.tunnel.mtu, &owners)
        for i in peers.indices { peers[i].limits = limits[peers[i].publicKey] ?? peers[i].limits }
        // The others first, so that they know the clients of anything that the main thread forwards from here
        // on.
        tellThreads(.replacePeers(peers))
        tellThreads(.replaceRoots(handed.roots))
        shared.plane.engine.replacePeers(peers)
        shared.plane.engine.replaceRoots(handed.roots, now: .now)
        routeNetworks(of: peers)
    }

    /// Saves what bondd-control has handed over, and answers it.
    func attendHandovers(now: Instant) {
        handed.save(now: now)
        if !handovers.isEmpty, let (isKept, problem) = handed.outcome {
            let done =
                handed.revokedKeys.isEmpty ? Response.ok : .revoked(handed.revokedKeys)
            for client in handovers { shared.control.reply(isKept ? done : .failed(problem), to: client) }
            handovers = []
        }
        attendRevocations()
    }

    /// Tells the holder of an invitation how the enrolment has ended.
    func tell(_ wish: (invitation: Int, key: PublicKey), _ outcome: EnrolOutcome) {
        shared.plane.engine.settle(
            invitation: wish.invitation, publicKey: wish.key, outcome: outcome)
        if outcome == .unavailable {
            shared.log(
                .warning, "a client can't enrol, because bondd-control does not run or can't store it",
                ["invitation": "\(wish.invitation)"])
        }
    }
}
