import CLinux
import ControlProtocol
import Engine
import Glibc
import Host
import Packet
import Proto
import Runtime
import Scheduler
import Settings
import Transport
import Tun

/// The main thread: the first data thread, and all that is no data, in one loop.
///
///     wait → read sockets → read TUN → Engine.service → flush → write TUN
package struct Daemon: ~Copyable {
    var configuration: Configuration
    let file: String
    /// Which text of that file is in force.
    var fileInForce: FileInForce
    /// Where what outlives the daemon is kept.
    let stateDirectory: String
    let log: Log
    let startedAt: Instant

    var poller: LoopPoller
    let signals: SignalFD
    let netlink: Netlink
    var networkEvents: NetlinkEvents
    let control: ControlThread
    let resolver: Resolver
    var tunnel: TunnelInterface
    var plane: DataPlane
    var journal: EventJournal
    /// Server: the other data threads.
    var threads: [DataThread] = []
    /// All data threads' mailboxes by number, the main thread's first; none when it is alone.
    let mailboxes: [ThreadMailbox]
    /// Status and usage that wait for the data threads' reports.
    var survey = Survey()
    /// Server: which thread has which client.
    var owners: Owners
    /// Nil when the kernel has none.
    let firewall: HostFirewall?
    let cookieSeed = Sodium.systemSeed()

    /// Server: the clients and invitations that bondd-control has handed over.
    var handed: HandedOver
    /// Server: the services that bondd-control has handed over.
    var handedServices: HandedServices
    /// Server: why the networks behind its clients can't be routed.
    var networkProblem: String?
    /// Server: who wants to know what they have carried.
    var serviceCalls: [ControlClientID] = []
    /// Server: who waits for it to be kept.
    var handovers: [ControlClientID] = []
    /// Server: who waits for a revocation to be kept.
    var revocations: [ControlClientID] = []
    /// Server: when bondd-control was last heard of.
    var controlPresence: ControlPresence
    let controlUser: ControlUser
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
    var routingPause = Interval.milliseconds(50)
    var routesAreStale = true
    /// Client: whether the host's routing may have to change.
    var routingIsDue = true
    /// Client: the routes that lead past a full tunnel, or would, a sentence each.
    var bypassNotices: [String] = []
    /// Client: what the kernel refused of late.
    var routingProblems: [String] = []
    /// Client: the settings of uplinks that are gone, by interface, and what is amiss with them.
    var remembered: [String: Configuration.Path] = [:]
    var uplinkProblem: String?
    /// Client: a sentence for each interface with a default route that is left out.
    var leftOutUplinks: [String] = []
    /// Client: the hardware behind the names of paths, who keeps that, and which names have got another.
    var hardware: HardwareLedger
    let hardwareWriter: StateWriter
    var hardwareNotices: [String: String] = [:]
    /// Client: the concerns of paths that are named by their hardware, by path ID.
    var hardwareConcerns: [UInt16: String] = [:]
    /// Client: the reverse-path filters that are loosened, the notices about them, and when routers were looked at.
    var relief: ReversePathRelief
    var reliefNotices: [String] = []
    var tunnelFilterNotice: String?
    var routersCheckedAt = Instant.zero
    /// Client: the notes on paths that share a router, by path ID.
    var sharedRouters: [UInt16: String] = [:]
    /// The problem of the tunnel's interface, and when it was looked at.
    var tunnelProblem: String?
    var tunnelCheckedAt = Instant.zero
    var tunnelIsStale = false
    /// Server: the listening addresses that the host can't have, a sentence each.
    var leftOutListeners: [String] = []
    /// Client: the addresses of the server's names.
    var names = ServerNames()
    /// Client: why the server does not want this client, as it said, and when it last did.
    var refusal: (problem: String, since: Instant)?
    /// Client: the preshared keys that the server has given it; nil where the configuration has one.
    var givenSecrets: GivenSecrets?
    /// Client: its name servers.
    var nameService: NameService
    /// Client: when paths are looked at again.
    var nextCheck = Instant.zero
    private var isRunning = true
    /// Why the daemon has to end.
    private var failure: Failure?
    private var supervision = Supervision()
    private let pulse: Pulse

    package init(
        _ configuration: Configuration, file: String, socket: String, state: String, controlUser: String,
        log: Log
    ) throws {
        self.configuration = configuration
        self.file = file
        fileInForce = FileInForce(file, of: configuration)
        self.log = log
        startedAt = Instant.now
        runID = String(Timestamp.now.seconds, radix: 16) + "-" + String(getpid(), radix: 16)
        publicKey = PrivateKey(bytes: configuration.tunnel.privateKey.key).publicKey
        try Self.checkFree(configuration.tunnel.interface, Netlink())
        // First of all: a kill switch is to hold whatever comes after.
        let firewall = try Self.firewall(configuration, state: state, log: log)
        let poller = try LoopPoller()
        // Before any thread is started.
        let signals = try SignalFD([SIGINT, SIGTERM, SIGHUP])
        let netlink = try Netlink()
        let networkEvents = try NetlinkEvents()
        let controlUser = ControlUser(named: controlUser, now: startedAt)
        let path = Self.socketPath(socket, configuration)
        let control = try ControlThread(
            ControlThread.Socket(path: path, group: controlUser.group) { controlUser.has($0) })
        ControlServicePath.makeAlias(of: path)
        let resolver = try Resolver()
        let count = configuration.threadCount
        let device = try TunDevice(
            name: configuration.tunnel.interface, offloads: configuration.tunnel.offload ? .all : [],
            mayHaveQueues: count > 1)
        let tunnel = try TunnelInterface(device, mtu: configuration.tunnel.mtu ?? 1400, netlink: netlink)
        var owners = Owners(threads: count)
        let handed = HandedOver(directory: state, interface: configuration.tunnel.interface, log: log)
        let pulse = try Pulse("the main thread")
        mailboxes = count > 1 ? try (0..<count).map { _ in try ThreadMailbox() } : []
        let givenSecrets = GivenSecrets(configuration, directory: state, log: log)
        self.givenSecrets = givenSecrets
        plane = DataPlane(
            Self.engine(
                0, configuration, handed, mtu: tunnel.mtu, &owners, cookieSeed: cookieSeed,
                secrets: givenSecrets?.secrets ?? .none),
            queue: device,
            mailboxes: mailboxes)
        self.owners = owners
        self.pulse = pulse
        journal = EventJournal(log)
        self.handed = handed
        handedServices = HandedServices(
            directory: state, interface: configuration.tunnel.interface, log: log)
        self.poller = poller
        self.signals = signals
        self.netlink = netlink
        self.networkEvents = networkEvents
        self.control = control
        self.controlUser = controlUser
        controlPresence = ControlPresence(startedAt: startedAt)
        self.resolver = resolver
        self.tunnel = tunnel
        self.firewall = firewall
        nameService = NameService(interface: tunnel.name, directory: state)
        stateDirectory = state
        let hardwareFile = "\(state)/\(configuration.tunnel.interface).hardware"
        hardware = HardwareLedger(reading: hardwareFile)
        hardwareWriter = StateWriter(hardwareFile, mode: 0o644)
        relief = ReversePathRelief(directory: state, interface: configuration.tunnel.interface)
        usage = DataUsage(
            UsageFile(directory: state, interface: configuration.tunnel.interface),
            month: Month(of: Timestamp.now.seconds), log: log, now: startedAt)
    }

    /// The Engine of a data thread.
    static func engine(
        _ number: Int, _ configuration: Configuration, _ handed: HandedOver, mtu: Int, _ owners: inout Owners,
        cookieSeed: [UInt8], secrets: ClientSecrets = .none
    ) -> Engine {
        var part = EngineConfiguration(configuration, mtu: mtu)
        part.peers = peers(configuration, handed, mtu: mtu, &owners)
        part.shard = Shard(index: number, count: owners.count)
        part.roots = handed.roots
        part.secrets = secrets
        return Engine(
            part, staticKey: PrivateKey(bytes: configuration.tunnel.privateKey.key),
            seed: Sodium.systemSeed(), cookieSeed: cookieSeed)
    }

    /// Opens the sockets and sets the addresses that the role asks for.
    package mutating func start() throws {
        poller.watch(plane.queue.fileDescriptor, .tun)
        if let mailbox = mailboxes.first { poller.watch(mailbox.fileDescriptor, .mailbox) }
        poller.watch(networkEvents.fileDescriptor, .netlink)
        for descriptor in firewall?.fileDescriptors ?? [] { poller.watch(descriptor, .firewall) }
        poller.watch(control.fileDescriptor, .control)
        poller.watch(pulse.fileDescriptor, .pulse)
        poller.watch(signals.fileDescriptor, .signals)
        poller.watch(resolver.fileDescriptor, .resolver)
        for problem in relief.restore() { log(.warning, problem) }
        cleanNameServers(stateDirectory)
        switch configuration.role {
        case .server(let server):
            // A client may have been killed here before the host became a server, which does not depend on it.
            do throws(HostError) { try cleanRouting() } catch { log(.warning, error.description) }
            try serve(server)
        case .client(let client):
            do {
                try cleanRouting()
                try connect(client)
            } catch {
                undoRouting()
                throw error
            }
        }
        handedServices.drop(for: configuration, stateDirectory, now: startedAt)
        firewall?.start(services: handedServices.list(for: configuration))
        if plane.engine.isClient { loosenTunnel() }
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
    package mutating func run() throws {
        supervision.ready(summary(now: startedAt), now: Instant.now)
        let watchdog = try supervision.period.map {
            try Watchdog([pulse] + threads.map(\.pulse), period: $0, log: log)
        }
        while isRunning {
            let check = nextCheck == .zero ? .never : nextCheck
            let before = Instant.now
            let count = poller.wait(
                until: min(
                    plane.nextDeadline, check, enrolments.deadline, handed.deadline(now: before),
                    firewall?.deadline ?? .never, servicesDeadline(now: before),
                    givenSecrets?.deadline(now: before) ?? .never, supervision.nextSign, survey.deadline
                ),
                now: before)
            let now = Instant.now
            pulse.beat()
            for i in 0..<count {
                guard let source = poller.event(i) else { continue }
                switch source {
                case .socket(let number): plane.receive(number, now: now)
                case .tun: plane.readTunnel(now: now)
                case .mailbox: takeMail(now: now)
                case .timer, .pulse: break
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
            } else if now >= nextCheck {
                nextCheck = now + .seconds(10)
                watchTunnel(now: now)
            }
            turn(now: now)
            attendEnrolments(now: now)
            attendServices(now: now)
            attendSurvey(now: now)
            attendSecrets(now: now)
            plane.giveBackMemory(now: now)
            if now >= supervision.nextSign { supervision.sign(summary(now: now), now: now) }
        }
        supervision.stopping()
        watchdog?.stop()
        let hanging = stopThreads()
        handed.close(now: Instant.now)
        handedServices.close(now: Instant.now)
        plane.close(now: Instant.now)
        if plane.engine.isClient {
            undoNameServers()
            undoRouting()
            for problem in relief.restore() { log(.warning, problem) }
            _ = hardwareWriter.takeOutcome(waits: true)
            checkUsage(now: Instant.now)
            usage.close(now: Instant.now)
        }
        firewall?.close()
        control.close()
        if let failure { throw failure }
        guard hanging.isEmpty else { throw Failure("bondd has stopped without a data thread that hangs") }
        log(.info, "bondd has stopped")
    }

    /// Ends the daemon, which leaves the machine as it was, with a sentence and a status that says so.
    mutating func fail(_ reason: String) {
        isRunning = false
        failure = Failure(reason)
    }

    /// Lets the Engine do what is due, and carries it out.
    private mutating func turn(now: Instant) {
        let wall = Timestamp.now
        while true {
            let isDone = plane.step(now: now, wall: wall)
            for failing in plane.takeFailing() { pathFailed(failing, now: now) }
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
        while let signal = signals.take() {
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
        for translation in resolver.takeTranslations() { learn(translation, now: now) }
    }

    /// Puts a socket into the table and watches it.
    mutating func install(_ socket: UDPSocket) {
        plane.install(socket)
        poller.watch(socket.socket.fileDescriptor, .socket(socket.number))
    }
}
