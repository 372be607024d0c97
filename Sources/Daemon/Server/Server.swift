import ControlProtocol
import Engine
import Host
import Packet
import Proto
import Scheduler
import Settings
import Tun

/// A server: its data threads, its clients, and its services.
final class Server {
    let shared: Shared
    /// The file's part for servers.
    private(set) var settings: Configuration.Server
    private(set) var threads: ServerThreads
    private(set) var clients: ServerClients
    /// The services that bondd-control has handed over.
    var handedServices: HandedServices
    private let cookieSeed: [UInt8]
    /// The tunnel's device, until the first data thread has it.
    private var device: TunDevice?
    /// The mode of packets to clients that have not asked for another one.
    var mode: Mode { didSet { threads.tell(.setMode(mode)) } }
    /// In mode redundant, the number of paths that carry each packet; 0 means all.
    var redundantPaths: Int { didSet { threads.tell(.setRedundantPaths(redundantPaths)) } }
    private var controlPresence: ControlPresence
    /// Why networks behind clients can't be reached.
    private var networkProblem = Notices()

    init(
        _ shared: Shared, _ settings: Configuration.Server, threads: ServerThreads,
        device: consuming TunDevice?, clients: ServerClients, cookieSeed: [UInt8], startedAt: Instant
    ) {
        self.shared = shared
        self.settings = settings
        self.clients = clients
        self.cookieSeed = cookieSeed
        self.device = device
        mode = shared.configuration.tunnel.mode
        redundantPaths = shared.configuration.tunnel.redundantPaths
        self.threads = threads
        handedServices = HandedServices(
            directory: shared.stateDirectory, interface: shared.configuration.tunnel.interface,
            log: shared.log)
        controlPresence = ControlPresence(startedAt: startedAt)
    }

    // MARK: - Start and end

    /// Sets the tunnel's addresses, opens the listening sockets, and starts the data threads.
    func start(now: Instant) throws {
        // A client may have been killed here before the host became a server, which does not depend on it.
        var routers = RouterWatch(
            directory: shared.stateDirectory, interface: shared.configuration.tunnel.interface)
        routers.restore(shared.log)
        do throws(HostError) {
            try shared.cleanRouting()
        } catch {
            shared.log(.warning, error.description)
        }
        try shared.setTunnel(routes: [])
        shared.poller.watch(threads.wishes.fileDescriptor, .mailbox)
        guard let device = device.take() else { return }
        try threads.start(settings, shared, device: device) { number in
            clients.engine(
                ofThread: number, shared.configuration, mtu: shared.tunnel.mtu, cookieSeed: cookieSeed)
        }
        routeNetworks(of: clients.peers(shared.configuration, mtu: shared.tunnel.mtu))
        handedServices.drop(for: shared.configuration, shared.stateDirectory, now: now)
    }

    /// Ends the data threads.
    /// - Returns: whether all have ended; those that hang are left behind.
    func stopThreads() -> Bool { threads.stop(shared.log) }

    /// Writes changes that are not on the disk yet.
    func close() {
        clients.close(now: .now)
        handedServices.close(now: .now)
    }

    // MARK: - The loop

    /// When `attend` has something to do without anything arriving.
    func deadline(now: Instant) -> Instant {
        min(clients.deadline(now: now), servicesDeadline(now: now))
    }

    /// Compares the tunnel's interface with the desired state, when that is due.
    func check(now: Instant) {
        guard now >= shared.nextCheck else { return }
        shared.nextCheck = now + .seconds(10)
        follow(shared.watchTunnel(now: now))
    }

    /// Finishes what waits for the disk or for the kernel.
    func attend(now: Instant) {
        for answer in clients.save(now: now) { shared.control.reply(answer.response, to: answer.client) }
        attendServices(now: now)
    }

    /// The kernel reports changes of the network.
    func follow(_ events: [NetworkEvent], now: Instant) {
        follow(shared.followTunnel(events, now: now))
    }

    private func follow(_ change: Shared.TunnelChange?) {
        if let change, change.family { replacePeers() }
    }

    /// Takes the file as it is now: other clients, perhaps without rules that services came from.
    func reload(_ new: Configuration.Server, now: Instant) {
        settings = new
        clients.forgetLimits()
        replacePeers()
        retireServices(now: now)
    }

    // MARK: - Clients

    /// Brings all data threads up to date with who may connect.
    private func replacePeers() {
        let peers = clients.peers(shared.configuration, mtu: shared.tunnel.mtu)
        threads.tell(.replacePeers(peers))
        threads.tell(.replaceRoots(clients.roots))
        routeNetworks(of: peers)
    }

    /// The client of that name.
    func peer(named name: String) -> EngineConfiguration.Peer? {
        clients.peers(shared.configuration, mtu: shared.tunnel.mtu)
            .first { $0.name == name && $0.kind == .client }
    }

    /// Replaces the classes of service of all data threads.
    func setClasses(_ classes: [ServiceClass]) { threads.tell(.setClasses(classes)) }

    /// Limits a client from now on, until the file is read again.
    func limit(_ key: PublicKey, to limits: PeerLimits) {
        clients.limit(key, to: limits)
        threads.tell(.setLimits(limits, of: key))
    }

    /// Routes the networks behind the clients into the tunnel, and lets their hosts leave by this one.
    private func routeNetworks(of peers: [EngineConfiguration.Peer]) {
        let networks = peers.flatMap(\.networks).compactMap {
            CIDR($0.address, length: Int($0.length))?.network
        }
        shared.firewall?.route(networks)
        do throws(HostError) {
            try shared.setTunnel(routes: networks)
            networkProblem.replace(with: nil, shared.log)
        } catch {
            networkProblem.replace(
                with: "\(error.description); networks behind clients may not be reached", shared.log)
        }
    }

    /// Replaces the clients that bondd-control has handed over, and answers it once they are on the disk.
    /// - Parameter digest: that of the configuration in force.
    func take(_ handover: Handover, digest: String, from client: ControlClientID, now: Instant) {
        if let wanted = handover.configuration, wanted != digest {
            shared.control.reply(
                .failed(
                    "these clients have addresses by another configuration than bondd has; reload or restart bondd, or put the file back"
                ), to: client)
            return
        }
        if clients.replace(with: handover, for: client, now: now) { replacePeers() }
    }

    /// Revokes an invited client without bondd-control, which learns of it with its next handover. The answer
    /// is sent once the revocation is on the disk.
    func revoke(_ name: String, from client: ControlClientID, now: Instant) {
        if let refusal = refusal(ofRevoking: name) {
            shared.control.reply(.failed(refusal), to: client)
            return
        }
        clients.revoke(name, for: client, now: now)
        shared.log(.info, "a client was revoked without bondd-control", ["client": name])
        replacePeers()
    }

    private func refusal(ofRevoking name: String) -> String? {
        if settings.clients.contains(where: { $0.name == name }) {
            return
                "the client \"\(name)\" is in \(shared.configuration.file), which alone can revoke it; edit it, then: systemctl reload bondd"
        }
        guard clients.has(name) else {
            return
                "there is no client \"\(name)\" that bondd-control has handed over; it alone knows invitations"
        }
        return nil
    }

    /// Tells the holder of an invitation how the enrolment has ended.
    func tell(_ wish: (invitation: Int, key: PublicKey), _ outcome: EnrolOutcome) {
        threads.tell(.settle(invitation: wish.invitation, publicKey: wish.key, outcome: outcome))
        if outcome == .unavailable {
            shared.log(
                .warning, "a client can't enrol, because bondd-control does not run or can't store it",
                ["invitation": "\(wish.invitation)"])
        }
    }

    // MARK: - Status

    /// bondd-control has asked for something.
    func noteControl(now: Instant) { controlPresence.note(now: now) }

    /// What keeps the server from carrying traffic, a sentence each.
    var problems: [String] {
        var problems = networkProblem.list
        if let facts = try? shared.netlink.interface(named: shared.tunnel.name), !facts.isUp {
            problems.append(
                "the interface \(shared.tunnel.name) is off; run: ip link set \(shared.tunnel.name) up")
        }
        return problems
    }

    /// What works, but not as its owner may expect, a sentence each.
    func notices(now: Instant) -> [String] {
        let absence = controlPresence.notice(
            clients: clients.handedCount, services: handedServices.count, now: now)
        return shared.tunnelProblems() + threads.notices + [absence].compactMap(\.self)
            + (settings.nat?.missingEgress ?? [])
    }
}
