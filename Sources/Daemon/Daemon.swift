import CLinux
import ControlProtocol
import Engine
import Glibc
import Host
import Packet
import Proto
import Runtime
import Settings
import Tun

/// The main thread: all control work, and a client's data, in one loop. A server's data threads carry its data, so
/// that no packet waits for a reload, a handover, or a look at the host's rules.
///
/// `Side` does the work of a client or of a server; both use `Shared`.
package struct Daemon: ~Copyable {
    let shared: Shared
    let side: Side
    /// The program's start, for its uptime.
    let startedAt: Instant
    /// The text of the configuration file that is in force.
    var fileInForce: FileInForce
    let controlUser: ControlUser
    /// The clients that want to enrol, and bondd-control's open question for them, which it asks on a
    /// client's host as well.
    var enrolments = Enrolments()
    /// Questions for status and usage that wait for the data threads' reports.
    var survey = Survey()
    private var journal: EventJournal
    private var networkEvents: NetlinkEvents
    private let signals: SignalFD
    private var supervision = Supervision()
    private let pulse: Pulse
    private var isRunning = true

    /// Creates the tunnel's interface, and sets the kill switch if the configuration has one.
    /// - Parameters:
    ///   - file: the path of the configuration, which is read again on a reload.
    ///   - socket: the path of the control socket.
    ///   - state: the state directory.
    ///   - controlUser: the user that bondd-control runs as.
    package init(
        _ configuration: Configuration, file: String, socket: String, state: String,
        controlUser: String,
        log: Log
    ) throws {
        let startedAt = Instant.now
        let interface = configuration.tunnel.interface
        try TunnelInterface.checkFree(interface, Netlink())
        // First of all: a kill switch must hold whatever happens after this.
        let firewall = try HostFirewall.make(configuration, state: state, log: log)
        let poller = try LoopPoller()
        // Before any thread starts, which would receive the signals otherwise.
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
            name: interface, offloads: configuration.tunnel.offload ? .all : [], mayHaveQueues: count > 1)
        let tunnel = try TunnelInterface(
            name: device.name, index: device.index, mtu: configuration.tunnel.mtu ?? 1400, netlink)
        let pulse = try Pulse("the main thread")
        let cookieSeed = Sodium.systemSeed()
        switch configuration.role {
        case .client(let settings):
            let secrets = GivenSecrets(configuration, directory: state, log: log)
            let engine = Client.engine(
                configuration, mtu: tunnel.mtu, cookieSeed: cookieSeed, secrets: secrets?.secrets ?? .none)
            shared = Shared(
                configuration, state: state, log: log, netlink: netlink, control: control,
                firewall: firewall, poller: poller, tunnel: tunnel, offloads: device.offloads)
            side = .client(
                Client(
                    shared, settings, plane: DataPlane(engine, queue: device), resolver: resolver,
                    secrets: secrets))
        case .server(let settings):
            let threads = try ServerThreads(count: count)
            let clients = ServerClients(
                threads: count, handed: HandedOver(directory: state, interface: interface, log: log))
            shared = Shared(
                configuration, state: state, log: log, netlink: netlink, control: control,
                firewall: firewall, poller: poller, tunnel: tunnel, offloads: device.offloads)
            side = .server(
                Server(
                    shared, settings, threads: threads, device: device, clients: clients,
                    cookieSeed: cookieSeed,
                    startedAt: startedAt))
        }
        self.startedAt = startedAt
        fileInForce = FileInForce(file, of: configuration)
        journal = EventJournal(log)
        self.controlUser = controlUser
        self.networkEvents = networkEvents
        self.signals = signals
        self.pulse = pulse
    }

    /// Opens the sockets and sets the addresses of the role.
    package mutating func start() throws {
        shared.poller.watch(networkEvents.fileDescriptor, .netlink)
        for descriptor in shared.firewall?.fileDescriptors ?? [] {
            shared.poller.watch(descriptor, .firewall)
        }
        shared.poller.watch(shared.control.fileDescriptor, .control)
        shared.poller.watch(pulse.fileDescriptor, .pulse)
        shared.poller.watch(signals.fileDescriptor, .signals)
        cleanNameServers()
        switch side {
        case .server(let server): try server.start(now: startedAt)
        case .client(let client):
            shared.poller.watch(client.resolver.fileDescriptor, .resolver)
            try client.start()
            forgetServices()
        }
        shared.firewall?.start(services: side.services)
        if case .client(let client) = side {
            client.routers.loosen(tunnel: shared.tunnel.name, shared.log)
        }
        if let warning = cipher?.warning { shared.log(.warning, warning) }
        shared.log(
            .info, "bondd is running",
            [
                "role": side.isClient ? "client" : "server", "interface": shared.tunnel.name,
                "threads": "\(side.threadCount)",
                "offloads": shared.offloads.description,
                "cipher": cipher?.description ?? "none",
            ])
        // Reading the configuration, routes and rulesets takes more memory than everything after it.
        clinux_trim_heap()
    }

    /// A second instance on one host gets a socket of its own, unless one is given.
    private static func socketPath(_ asked: String, _ configuration: Configuration) -> String {
        guard asked == "/run/bondd/bondd.sock" else { return asked }
        if case .some = try? ControlClient.ask(.status, path: asked, timeout: 500) {
            return "/run/bondd/\(configuration.tunnel.interface).sock"
        }
        return asked
    }

    /// Restores the host's name servers after a daemon with this tunnel was killed. Only at the start,
    /// because it may take seconds.
    private func cleanNameServers() {
        do throws(HostError) {
            try NameServers.clean(directory: shared.stateDirectory, besides: shared.tunnel.name)
        } catch {
            shared.log(.warning, error.description)
        }
    }

    /// Discards the services that were handed over when this client's host was a server.
    private func forgetServices() {
        var handed = HandedServices(
            directory: shared.stateDirectory, interface: shared.configuration.tunnel.interface,
            log: shared.log)
        handed.drop(for: shared.configuration, shared.stateDirectory, now: startedAt)
        handed.close(now: startedAt)
    }

    // MARK: - The loop

    /// Runs until SIGTERM or SIGINT, then restores the host.
    package mutating func run() throws {
        supervision.ready(summary(now: startedAt), now: .now)
        let watchdog = try supervision.period.map {
            try Watchdog([pulse] + side.pulses, period: $0, log: shared.log)
        }
        while isRunning && shared.failure == nil {
            let before = Instant.now
            let count = shared.poller.wait(until: deadline(now: before), now: before)
            let now = Instant.now
            pulse.beat()
            for i in 0..<count {
                guard let source = shared.poller.event(i) else { continue }
                serve(source, now: now)
            }
            shared.firewall?.check(now: now)
            side.check(now: now)
            if case .client(let client) = side { turn(client, now: now) }
            attendEnrolments(now: now)
            side.attend(now: now)
            attendSurvey(now: now)
            if now >= supervision.nextSign { supervision.sign(summary(now: now), now: now) }
        }
        supervision.stopping()
        watchdog?.stop()
        let hasEnded = side.stopThreads()
        side.close()
        shared.firewall?.close()
        shared.control.close()
        if let failure = shared.failure { throw failure }
        guard hasEnded else {
            throw Failure(
                "a data thread hangs, and bondd has stopped without waiting for it; please report this with the log"
            )
        }
        shared.log(.info, "bondd has stopped")
    }

    /// When the loop has work even if nothing arrives.
    private func deadline(now: Instant) -> Instant {
        min(
            shared.nextCheck == .zero ? .never : shared.nextCheck,
            enrolments.deadline, shared.firewall?.deadline ?? .never, side.deadline(now: now),
            supervision.nextSign, survey.deadline)
    }

    private mutating func serve(_ source: LoopSource, now: Instant) {
        switch source {
        case .socket(let number):
            if case .client(let client) = side { client.plane.receive(number, now: now) }
        case .tun: if case .client(let client) = side { client.plane.readTunnel(now: now) }
        case .mailbox: takeMail(now: now)
        case .timer, .pulse: break
        case .signals: takeSignals(now: now)
        case .netlink: side.follow(networkEvents.readEvents(), now: now)
        case .firewall: shared.firewall?.noteChanges(now: now)
        case .control: answerRequests(now: now)
        case .resolver: if case .client(let client) = side { client.takeResolutions(now: now) }
        }
    }

    /// Lets a client's Engine do what is due, and carries out the result.
    private mutating func turn(_ client: Client, now: Instant) {
        if client.plane.hasUnfinishedRead { client.plane.readTunnel(now: now) }
        let wall = Timestamp.now
        while true {
            let isDone = client.plane.step(now: now, wall: wall)
            for failing in client.plane.takeFailing() { client.pathFailed(failing, now: now) }
            if isDone { break }
        }
        for event in client.plane.takeEvents() where client.act(on: event, now: now) {
            journal.note(event, now: now) { id in client.path(id)?.configuration.name }
        }
        client.plane.giveBackMemory(now: now)
    }

    /// Takes what a server's data threads report.
    private mutating func takeMail(now: Instant) {
        guard case .server(let server) = side else { return }
        for wish in server.threads.takeWishes() {
            enrolments.note(
                invitation: wish.invitation, key: wish.publicKey, host: wish.host, now: now)
        }
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
}
