import ControlProtocol
import Engine
import Host
import Packet
import Proto
import Settings

/// A server: its listening sockets and data threads, its clients, and what bondd-control has handed over.
final class Server {
    let shared: Shared
    /// The file's part for servers.
    private(set) var settings: Configuration.Server

    /// The other data threads.
    var threads: [DataThread] = []
    /// All data threads' mailboxes by number, the main thread's first; none when it is alone.
    let mailboxes: [ThreadMailbox]
    let cookieSeed: [UInt8]
    /// Which thread has which client.
    var owners: Owners
    /// The listening addresses that the host can't have, a sentence each.
    var leftOutListeners: [String] = []

    /// The clients and invitations that bondd-control has handed over.
    var handed: HandedOver
    /// The services that bondd-control has handed over.
    var handedServices: HandedServices
    /// When bondd-control was last heard of.
    var controlPresence: ControlPresence
    /// Limits that were set by hand, until the file is read again.
    var limits: [PublicKey: PeerLimits] = [:]
    /// Why the networks behind the clients can't be routed.
    var networkProblem = Notices()

    /// The programs that wait for the services' counters, for a handover and for a revocation to be on the
    /// disk.
    var serviceCalls: [ControlClientID] = []
    var handovers: [ControlClientID] = []
    var revocations: [ControlClientID] = []

    init(
        _ shared: Shared, _ settings: Configuration.Server, mailboxes: [ThreadMailbox], owners: Owners,
        handed: HandedOver, cookieSeed: [UInt8], startedAt: Instant
    ) {
        self.shared = shared
        self.settings = settings
        self.mailboxes = mailboxes
        self.owners = owners
        self.handed = handed
        self.cookieSeed = cookieSeed
        handedServices = HandedServices(
            directory: shared.stateDirectory, interface: shared.configuration.tunnel.interface,
            log: shared.log)
        controlPresence = ControlPresence(startedAt: startedAt)
    }

    /// The Engine of a data thread.
    static func engine(
        _ number: Int, _ configuration: Configuration, _ handed: HandedOver, mtu: Int,
        _ owners: inout Owners,
        cookieSeed: [UInt8]
    ) -> Engine {
        var part = EngineConfiguration(configuration, mtu: mtu)
        part.peers = peers(configuration, handed, mtu: mtu, &owners)
        part.shard = Shard(index: number, count: owners.count)
        part.roots = handed.roots
        return Engine(part, configuration.tunnel, cookieSeed: cookieSeed)
    }

    /// The number of data threads, the main one included.
    var threadCount: Int { owners.count }

    // MARK: - Start and end

    /// Opens the listening sockets, sets the tunnel's addresses, and starts the other data threads.
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
        try shared.tunnel.apply(
            addresses: shared.configuration.tunnel.addresses, mtu: shared.tunnel.mtu, routes: [],
            netlink: shared.netlink)
        if shared.tunnel.lack != nil { shared.reportLack() }
        if let mailbox = mailboxes.first { shared.poller.watch(mailbox.fileDescriptor, .mailbox) }
        try startThreads()
        routeNetworks(of: Self.peers(shared.configuration, handed, mtu: shared.tunnel.mtu, &owners))
        handedServices.drop(for: shared.configuration, shared.stateDirectory, now: now)
    }

    /// Writes what is not on the disk yet.
    func close() {
        handed.close(now: .now)
        handedServices.close(now: .now)
    }

    // MARK: - The loop

    /// When `attend` has something to do without anything arriving.
    func deadline(now: Instant) -> Instant {
        min(handed.deadline(now: now), servicesDeadline(now: now))
    }

    /// Compares the tunnel's interface with the desired state, when that is due.
    func check(now: Instant) {
        guard now >= shared.nextCheck else { return }
        shared.nextCheck = now + .seconds(10)
        follow(shared.watchTunnel(now: now))
    }

    /// Finishes what waits for the disk or for the kernel.
    func attend(now: Instant) {
        attendHandovers(now: now)
        attendServices(now: now)
    }

    /// The kernel reports changes of the network.
    func follow(_ events: [NetworkEvent], now: Instant) {
        follow(shared.followTunnel(events, now: now))
    }

    private func follow(_ change: Shared.TunnelChange?) {
        if let change, change.family { replacePeers() }
    }

    /// Takes letters from other data threads.
    func takeMail(now: Instant) {
        guard let mailbox = mailboxes.first else { return }
        // Nothing commands the main thread.
        _ = shared.plane.takeMail(from: mailbox)
        shared.plane.readMail(now: now)
    }

    /// Takes the file as it is now: other clients, perhaps without rules that services came from.
    func reload(_ new: Configuration.Server, now: Instant) {
        settings = new
        limits = [:]
        replacePeers()
        retireServices(now: now)
    }
}
