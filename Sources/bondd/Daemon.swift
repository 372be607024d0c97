import CLinux
import Control
import Engine
import Glibc
import Messages
import Packet
import Proto
import Scheduler
import Settings
import Transport
import Tun

/// The main thread: the first data thread, and all that is no data, in one loop.
///
///     wait → read sockets → read TUN → Engine.service → flush → write TUN
struct Daemon: ~Copyable {
    var configuration: Configuration
    let file: String
    /// Where what outlives the daemon is kept.
    let stateDirectory: String
    let log: Log
    let startedAt: Instant

    var poller: Poller
    let netlink: Netlink
    var networkEvents: NetlinkEvents
    var control: ControlSocket<Request, Messages.Response>
    let resolver: Resolver
    var tunnel: TunnelInterface
    var plane: DataPlane
    var journal: EventJournal
    /// Server: the other data threads.
    var threads: [DataThread] = []
    /// All data threads' mailboxes by number, the main thread's first; none when it is alone.
    let mailboxes: [Mailbox]
    /// Server: which thread has which client.
    var owners: Owners
    /// Nil when the kernel has none.
    let firewall: HostFirewall?
    let cookieSeed = Sodium.systemSeed()

    /// Server: the clients and invitations that bondd-control has handed over.
    var handed: HandedOver
    /// Server: the services that bondd-control has handed over.
    var handedServices: HandedServices
    /// Server: who wants to know what they have carried.
    var serviceCalls: [ControlClientID] = []
    /// Server: who waits for it to be kept.
    var handovers: [ControlClientID] = []
    /// Server: who wants to enrol.
    var enrolments = Enrolments()
    /// Numbers this run of the daemon.
    let runID: String
    let publicKey: PublicKey

    /// Client: its uplinks.
    var paths: [ClientPath] = []
    var nextPathID: UInt16 = 1
    /// Client: what they have used of their monthly data.
    var usage: DataUsage
    /// Client: what the server has assigned.
    var assignment: AssignFrame?
    /// Client: the largest packet that all its paths carry.
    var reach = Int.max
    /// Client: where all that is not for the tunnel's own networks goes.
    var anywhere = (ipv4: RoutingPlan.Anywhere.beside, ipv6: RoutingPlan.Anywhere.beside)
    /// Client: the host's routes, when they were read, and whether they have changed since.
    var hostRoutes: [NetworkRoute] = []
    var routesReadAt = Instant.zero
    var routesAreStale = true
    /// Client: whether the host's routing may have to change.
    var routingIsDue = true
    /// Client: what the kernel refused of late.
    var routingProblems: [String] = []
    /// Client: the settings of uplinks that are gone, by interface, and what is amiss with them.
    var remembered: [String: Configuration.Path] = [:]
    var uplinkProblem: String?
    /// Client: the addresses of the server's names.
    var resolved: [HostPort: [Endpoint]] = [:]
    /// Client: the name servers that are to be set, which way they were, when that was looked at, and who sets them.
    var nameServers: [IPAddress] = []
    var nameServerWay: NameServers.Way?
    /// Client: why they could not be set; it is tried again.
    var nameServerProblem: String?
    var nameServersCheckedAt = Instant.zero
    let hostNameServers: NameServers
    let nameServerWriter: NameServerWriter
    /// Client: when paths are looked at again.
    var nextCheck = Instant.zero
    private var isRunning = true
    private var supervision = Supervision()

    init(_ configuration: Configuration, file: String, socket: String, state: String, log: Log) throws {
        self.configuration = configuration
        self.file = file
        self.log = log
        startedAt = DataPlane.clock()
        runID = String(DataPlane.wall().seconds, radix: 16) + "-" + String(getpid(), radix: 16)
        publicKey = PrivateKey(bytes: configuration.tunnel.privateKey.key).publicKey
        // First of all: a kill switch is to hold whatever comes after.
        let firewall = try Self.firewall(configuration, state: state, log: log)
        let poller = try Poller()
        let netlink = try Netlink()
        let networkEvents = try NetlinkEvents()
        let control = try ControlSocket<Request, Messages.Response>(
            path: Self.socketPath(socket, configuration))
        let resolver = try Resolver()
        let count = configuration.threadCount
        let device = try TunDevice(
            name: configuration.tunnel.interface, offloads: configuration.tunnel.offload ? .all : [],
            mayHaveQueues: count > 1)
        let tunnel = try TunnelInterface(device, mtu: configuration.tunnel.mtu ?? 1400, netlink: netlink)
        var owners = Owners(threads: count)
        let handed = HandedOver(directory: state, interface: configuration.tunnel.interface, log: log)
        mailboxes = count > 1 ? try (0..<count).map { _ in try Mailbox() } : []
        plane = DataPlane(
            Self.engine(0, configuration, handed, mtu: tunnel.mtu, &owners, cookieSeed: cookieSeed),
            queue: device,
            mailboxes: mailboxes)
        self.owners = owners
        journal = EventJournal(log)
        self.handed = handed
        handedServices = HandedServices(
            directory: state, interface: configuration.tunnel.interface, log: log)
        self.poller = poller
        self.netlink = netlink
        self.networkEvents = networkEvents
        self.control = control
        self.resolver = resolver
        self.tunnel = tunnel
        self.firewall = firewall
        hostNameServers = NameServers(interface: tunnel.name, directory: state)
        nameServerWriter = NameServerWriter(hostNameServers)
        stateDirectory = state
        usage = DataUsage(
            UsageFile(directory: state, interface: configuration.tunnel.interface),
            month: Month(of: DataPlane.wall().seconds), log: log, now: startedAt)
    }

    /// The Engine of a data thread.
    static func engine(
        _ number: Int, _ configuration: Configuration, _ handed: HandedOver, mtu: Int, _ owners: inout Owners,
        cookieSeed: [UInt8]
    ) -> Engine {
        var part = EngineConfiguration(configuration, mtu: mtu)
        part.peers = peers(configuration, handed, mtu: mtu, &owners)
        part.shard = Shard(index: number, count: owners.count)
        return Engine(
            part, staticKey: PrivateKey(bytes: configuration.tunnel.privateKey.key),
            seed: Sodium.systemSeed(), cookieSeed: cookieSeed)
    }

    /// Opens the sockets and sets the addresses that the role asks for.
    mutating func start() throws {
        poller.watch(plane.queue.fileDescriptor, .tun)
        if let mailbox = mailboxes.first { poller.watch(mailbox.fileDescriptor, .mailbox) }
        poller.watch(networkEvents.fileDescriptor, .netlink)
        for descriptor in firewall?.fileDescriptors ?? [] { poller.watch(descriptor, .firewall) }
        poller.watch(control.fileDescriptor, .control)
        poller.watch(resolver.fileDescriptor, .resolver)
        switch configuration.role {
        case .server(let server): try serve(server)
        case .client(let client):
            do {
                try cleanRouting()
                cleanNameServers(stateDirectory)
                try connect(client)
            } catch {
                undoRouting()
                throw error
            }
        }
        firewall?.start(services: handedServices.list(for: configuration))
        if let warning = cipher?.warning { log(.warning, warning) }
        log(
            .info, "bondd is running",
            [
                "role": plane.engine.isClient ? "client" : "server", "interface": tunnel.name,
                "threads": "\(owners.count)",
                "offloads": plane.queue.offloads.description, "cipher": cipher?.description ?? "none",
            ])
        // Reading configuration, routes and rulesets takes more than all that runs afterwards.
        clinux_trim_heap()
    }

    /// A second instance on one machine gets a socket of its own unless told otherwise.
    private static func socketPath(_ asked: String, _ configuration: Configuration) -> String {
        guard asked == "/run/bondd/bondd.sock" else { return asked }
        if case .some = try? ControlClient.ask(.status, path: asked, timeout: 500) {
            return "/run/bondd/\(configuration.tunnel.interface).sock"
        }
        return asked
    }

    // MARK: - The loop

    /// Runs until SIGTERM or SIGINT, then leaves the machine as it was.
    mutating func run() throws {
        supervision.ready(summary(now: startedAt), now: DataPlane.clock())
        while isRunning {
            let check = nextCheck == .zero ? .never : nextCheck
            let before = DataPlane.clock()
            let count = poller.wait(
                until: min(
                    plane.nextDeadline, check, enrolments.deadline, handed.deadline(now: before),
                    firewall?.deadline ?? .never, servicesDeadline(now: before),
                    supervision.nextSign
                ).nanoseconds,
                now: before.nanoseconds)
            let now = DataPlane.clock()
            for i in 0..<count {
                guard let event = poller.event(i) else { continue }
                switch event.source {
                case .socket: plane.receive(event.number, now: now)
                case .tun: plane.readTunnel(now: now)
                case .mailbox: takeMail(now: now)
                case .timer: poller.timerFired()
                case .signals: takeSignals(now: now)
                case .netlink: followInterfaces(now: now)
                case .firewall: firewall?.noteChanges(now: now)
                case .control: answerRequests(now: now)
                case .resolver: takeResolutions(now: now)
                }
            }
            firewall?.check(now: now)
            if plane.engine.isClient {
                if now >= nextCheck { checkPaths(now: now) }
                watchUsage(now: now)
            }
            turn(now: now)
            attendEnrolments(now: now)
            attendServices(now: now)
            plane.giveBackMemory(now: now)
            if now >= supervision.nextSign { supervision.sign(summary(now: now), now: now) }
        }
        supervision.stopping()
        stopThreads()
        handed.close(now: DataPlane.clock())
        handedServices.close(now: DataPlane.clock())
        plane.close(now: DataPlane.clock())
        if plane.engine.isClient {
            undoNameServers()
            undoRouting()
            checkUsage(now: DataPlane.clock())
            usage.close(now: DataPlane.clock())
        }
        firewall?.close()
        log(.info, "bondd has stopped")
    }

    /// Lets the Engine do what is due, and carries it out.
    private mutating func turn(now: Instant) {
        let wall = DataPlane.wall()
        while true {
            let isDone = plane.step(now: now, wall: wall)
            for path in plane.takeFailing() { pathFailed(path.socket, isGone: path.isGone, now: now) }
            if isDone { break }
        }
        for event in plane.takeEvents() { act(on: event, now: now) }
    }

    /// Takes what other data threads have for this one.
    private mutating func takeMail(now: Instant) {
        guard let mailbox = mailboxes.first else { return }
        // Nobody commands the main thread.
        _ = plane.takeMail(from: mailbox)
        plane.readMail(now: now)
    }

    private mutating func takeSignals(now: Instant) {
        while let signal = poller.takeSignal() {
            switch signal {
            case SIGHUP:
                supervision.reloading()
                _ = reload(now: now)
                supervision.ready(summary(now: now), now: now)
            default: isRunning = false
            }
        }
    }

    private mutating func takeResolutions(now: Instant) {
        for resolution in resolver.take() { resolved(resolution, now: now) }
    }

    /// Puts a socket into the table and watches it.
    mutating func install(_ socket: UDPSocket) {
        plane.install(socket)
        poller.watch(socket.socket.fileDescriptor, .socket, number: socket.number)
    }
}
