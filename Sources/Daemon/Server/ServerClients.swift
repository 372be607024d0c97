import ControlProtocol
import Engine
import Host
import Packet
import Proto
import Settings

/// Names a program on the daemon's control socket.
typealias ControlClientID = ControlSocket<Request, Response>.ClientID

/// An answer for a program on the control socket.
typealias ControlAnswer = (client: ControlClientID, response: Response)

/// A server's clients: those of its file and those that bondd-control has handed over, each with its data thread.
struct ServerClients {
    private var owners: Owners
    private var handed: HandedOver
    /// Limits that were set by hand, until the file is read again.
    private var limits: [PublicKey: PeerLimits] = [:]
    /// The programs that wait until a handover, or a revocation, is on the disk.
    private var handovers: [ControlClientID] = []
    private var revocations: [ControlClientID] = []

    init(threads: Int, handed: HandedOver) {
        owners = Owners(threads: threads)
        self.handed = handed
    }

    /// The number of clients that bondd-control has handed over.
    var handedCount: Int { handed.handover?.clients.count ?? 0 }
    /// The revision of the last handover; nil if there was none.
    var revision: Int? { handed.handover?.revision }
    /// The secrets from which the preshared keys of handed over clients are derived.
    var roots: RootSecrets { handed.roots }

    /// Everybody who may connect, each with a data thread.
    mutating func peers(_ configuration: Configuration, mtu: Int) -> [EngineConfiguration.Peer] {
        var peers = EngineConfiguration(configuration, mtu: mtu).peers
        if case .server(let server) = configuration.role {
            peers += handed.peers(besides: peers, configuration.tunnel, mtu: mtu, offer: server.offer)
            peers.offerNetworks()
        }
        owners.assign(&peers)
        for i in peers.indices { peers[i].limits = limits[peers[i].publicKey] ?? peers[i].limits }
        // A client with addresses from which this host can't reply would never get a reply.
        if HostFamilies.lackOfIPv6(interface: configuration.tunnel.interface) != nil {
            for i in peers.indices { peers[i].leaveOutIPv6() }
        }
        return peers
    }

    /// The Engine of a data thread.
    mutating func engine(
        ofThread number: Int, _ configuration: Configuration, mtu: Int, cookieSeed: [UInt8]
    ) -> Engine {
        var part = EngineConfiguration(configuration, mtu: mtu)
        part.peers = peers(configuration, mtu: mtu)
        part.shard = Shard(index: number, count: owners.count)
        part.roots = roots
        return Engine(part, configuration.tunnel, cookieSeed: cookieSeed)
    }

    /// The sessions in the order of the configuration and of the handover, whichever threads they belong to.
    func inOrder(_ sessions: [SessionReport], _ settings: Configuration.Server) -> [SessionReport] {
        guard owners.count > 1 else { return sessions }
        let named = Dictionary(sessions.map { ($0.peer, $0) }, uniquingKeysWith: { first, _ in first })
        let own = settings.clients.map(\.name)
        let others = handed.handover?.clients.map(\.name).filter { !own.contains($0) } ?? []
        return (own + others).compactMap { named[$0] }
    }

    // MARK: - Limits set by hand

    /// Limits the client with that key until `forgetLimits`.
    mutating func limit(_ key: PublicKey, to new: PeerLimits) { limits[key] = new }

    /// Returns all clients to the limits of the configuration.
    mutating func forgetLimits() { limits = [:] }

    // MARK: - Changes by bondd-control

    /// Replaces the clients that bondd-control has handed over.
    /// - Parameter client: the program to answer once they are on the disk.
    /// - Returns: whether they differ from those before.
    mutating func replace(with handover: Handover, for client: ControlClientID, now: Instant) -> Bool {
        handovers.append(client)
        return handed.replace(with: handover, now: now)
    }

    /// Whether bondd-control has handed over a client of that name that was not revoked.
    func has(_ name: String) -> Bool { handed.has(client: name) }

    /// Revokes a client that was handed over.
    /// - Parameter client: the program to answer once the revocation is on the disk.
    mutating func revoke(_ name: String, for client: ControlClientID, now: Instant) {
        revocations.append(client)
        handed.revoke(name, now: now)
    }

    // MARK: - The disk

    /// When `save` has something to do.
    func deadline(now: Instant) -> Instant { handed.deadline(now: now) }

    /// Saves changes without waiting for the disk.
    /// - Returns: the answers for those that waited for changes which are on the disk now.
    mutating func save(now: Instant) -> [ControlAnswer] {
        handed.save(now: now)
        var answers: [ControlAnswer] = []
        if !handovers.isEmpty, let (isKept, problem) = handed.outcome {
            let done = handed.revokedKeys.isEmpty ? Response.ok : .revoked(handed.revokedKeys)
            answers += handovers.map { ($0, isKept ? done : .failed(problem)) }
            handovers = []
        }
        if !revocations.isEmpty, let (isKept, problem) = handed.revocationOutcome {
            answers += revocations.map { ($0, isKept ? .ok : .failed(problem)) }
            revocations = []
        }
        return answers
    }

    /// Saves changes, and waits for the disk.
    mutating func close(now: Instant) { handed.close(now: now) }
}
