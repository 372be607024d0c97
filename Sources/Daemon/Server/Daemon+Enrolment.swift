import ControlProtocol
import Engine
import Host
import Packet
import Proto
import Settings

/// Names a program on the daemon's control socket.
typealias ControlClientID = ControlSocket<Request, ControlProtocol.Response>.ClientID

// A server's clients: those of its file, those that bondd-control hands over, and those that are about to be.
extension Daemon {
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

    /// Takes what bondd-control has in place of what it had before. It is answered when that is on the disk.
    mutating func take(_ handover: Handover, from client: ControlClientID, now: Instant) {
        guard case .server = configuration.role else {
            control.reply(.failed("a client has no clients; hand them over to a server"), to: client)
            return
        }
        if let wanted = handover.configuration, wanted != fileInForce.digest {
            control.reply(.failed(Self.otherConfiguration), to: client)
            return
        }
        if handed.replace(with: handover, now: now) { replacePeers() }
        handovers.append(client)
    }

    private static var otherConfiguration: String {
        "these clients have addresses by another configuration than bondd has; reload or restart bondd, or put the file back"
    }

    /// Brings all data threads up to date with who may connect.
    mutating func replacePeers() {
        let peers = Self.peers(configuration, handed, mtu: tunnel.mtu, &owners)
        // The others first: what the main thread passes to them from here on finds them prepared.
        tellThreads(.replacePeers(peers))
        tellThreads(.replaceRoots(handed.roots))
        plane.engine.replacePeers(peers)
        plane.engine.replaceRoots(handed.roots, now: Instant.now)
        routeNetworks(of: peers)
    }

    /// Somebody with an invitation wants to be a client.
    mutating func enrol(_ invitation: String, _ key: PublicKey, host: String, now: Instant) {
        guard let id = Int(invitation.split(separator: " ").last ?? "") else { return }
        enrolments.note(invitation: id, key: key, host: host, now: now)
    }

    /// bondd-control has settled an enrolment, or can't.
    mutating func settle(_ id: Int, _ outcome: EnrolmentOutcome) -> ControlProtocol.Response {
        if let wish = enrolments.settle(id) { tell(wish, EnrolOutcome(outcome)) }
        return .ok
    }

    /// Passes on what there is to pass on.
    mutating func attendEnrolments(now: Instant) {
        for wish in enrolments.takeForsaken(now: now) { tell(wish, .unavailable) }
        if let (client, waiting) = enrolments.answer(now: now) {
            control.reply(.enrolments(waiting), to: client)
        }
        handed.save(now: now)
        if !handovers.isEmpty, let (isKept, problem) = handed.outcome {
            let done = handed.revokedKeys.isEmpty ? ControlProtocol.Response.ok : .revoked(handed.revokedKeys)
            for client in handovers { control.reply(isKept ? done : .failed(problem), to: client) }
            handovers = []
        }
        attendRevocations()
    }

    private mutating func tell(_ wish: (invitation: Int, key: PublicKey), _ outcome: EnrolOutcome) {
        plane.engine.settle(
            invitation: EngineConfiguration.Peer.invitationName(wish.invitation), publicKey: wish.key,
            outcome: outcome)
        if outcome == .unavailable {
            log(
                .warning, "somebody can't enrol, as bondd-control does not run or can't store it",
                ["invitation": "\(wish.invitation)"])
        }
    }
}

extension EnrolOutcome {
    init(_ outcome: EnrolmentOutcome) {
        switch outcome {
        case .stored: self = .stored
        case .used: self = .used
        case .expired: self = .expired
        case .revoked: self = .revoked
        case .full: self = .full
        case .unavailable: self = .unavailable
        }
    }
}
