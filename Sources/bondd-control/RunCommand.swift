import ArgumentParser
import CLinux
import Control
import ControlProtocol
import Dispatch
import Glibc
import Runtime
import Settings

/// `bondd-control run`
struct RunCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Run in the foreground alongside bondd, as its own user.",
        discussion: """
            If started as root, it acquires its resources and becomes the user bondd-control, or the one given by --user. bondd has to \
            know that user: bondd run --control-user NAME.
            """)

    @OptionGroup var options: StateOptions

    @Option(help: "bondd's configuration; the key files it names are not read.")
    var config = "/etc/bondd/bondd.toml"

    @Option(help: "If started as root: the user to become. (default: bondd-control)")
    var user: String?

    @Flag(name: .customLong("as-root"), help: "Stay root if started as root.")
    var staysRoot = false

    @Option(name: .customLong("usage-interval"), help: "Seconds between two readings of the clients' usage.")
    var usageInterval = 5.0

    func validate() throws {
        guard (0.01...3600).contains(usageInterval) else {
            throw ValidationError("--usage-interval must be 0.01 to 3600 seconds")
        }
        if user != nil && staysRoot { throw ValidationError("--user and --as-root cannot be combined") }
    }

    func run() throws {
        var loop = try RequestLoop()
        let file = Result { () throws(ConfigurationError) in
            try Configuration(reading: config, keys: .leave)
        }
        if case .success(let configuration) = file, case .client = configuration.role {
            return try runOnClient(configuration, &loop)
        }
        // bondd may be running with an earlier text although the file is unusable now.
        if !Store.exists(in: options.stateDirectory) { _ = try file.get() }
        // Read before dropping privileges, as the file may be readable only by root.
        let token = try (try? file.get())?.health?.tokenFile.map { try Token(reading: $0) }
        try becomeUser(needsState: true)
        // Held until the process ends.
        let lock = try StateLock(directory: options.stateDirectory, instead: "stop it first")
        let store = try Store(directory: options.stateDirectory)
        let text = try ControlService.text(of: config, store: store, socket: options.socket, log: options.log)
        let configuration = try text.configuration(keys: .leave)
        guard case .server(let server) = configuration.role else { return }
        let plan = Plan(file: config, tunnel: configuration.tunnel, server: server)
        let services = services(store, configuration, server)
        let link = services.map {
            PlaneLink(services: $0, directory: options.stateDirectory, log: options.log)
        }
        let service = try ControlService(
            store: store, plan: plan, file: config, socket: options.socket, log: options.log,
            services: services, link: link, text: text)
        try loop.listen(on: ControlServicePath.own(of: options.socket), for: service)
        ControlServicePath.makeAlias(of: options.socket)
        link?.start(bundleFile: server.portunus?.bundleFile)
        serveHealth(configuration.health, token, service)
        let counting = DispatchGroup()
        DispatchQueue(label: "enrolments").async { service.letIn() }
        DispatchQueue(label: "usage").async(group: counting) { [usageInterval] in
            service.count(every: usageInterval)
        }
        DispatchQueue(label: "services").async(group: counting) { services?.run() }
        run(&loop)
        link?.stop()
        services?.stop()
        service.stop()
        // They store the last counts before they end.
        _ = counting.wait(timeout: .now() + 3)
        withExtendedLifetime(lock) {}
    }

    private func runOnClient(
        _ configuration: Settings.Configuration, _ loop: inout RequestLoop
    ) throws {
        guard let health = configuration.health else {
            // Not an error, because packages start bondd-control on clients as well.
            options.log(.info, "on a client without [health], bondd-control has nothing to do")
            ServiceNotice().send("READY=1")
            return
        }
        let token = try health.tokenFile.map { try Token(reading: $0) }
        try becomeUser(needsState: false)
        serveHealth(health, token, nil)
        run(&loop)
    }

    /// Switches from root to another user.
    private func becomeUser(needsState: Bool) throws {
        guard geteuid() == 0 else { return }
        if staysRoot {
            options.log(.warning, "bondd-control runs as root because of --as-root")
            return
        }
        let privileges = try Privileges(
            user: user, config: config, socket: options.socket, stateDirectory: options.stateDirectory)
        try privileges.prepare(needsState: needsState)
        try privileges.drop()
    }

    /// The services; nil if this kernel or the process's limits prevent them, since clients take precedence.
    private func services(
        _ store: Store, _ configuration: Settings.Configuration, _ server: Settings.Configuration.Server
    ) -> ServicePlane? {
        do {
            return try ServicePlane(
                store: store, tunnel: configuration.tunnel, server: server, health: configuration.health,
                socket: options.socket, log: options.log)
        } catch {
            options.log(.error, "\(error)")
            return nil
        }
    }

    private func run(_ loop: inout RequestLoop) {
        // After the change of user, which would undo it.
        if clinux_forbid_dumps() < 0 {
            options.log(.warning, "secrets may end up in a core dump: the kernel refuses PR_SET_DUMPABLE")
        }
        options.log(
            .info, "bondd-control runs", ["version": Product.version, "user": "\(geteuid())"])
        ServiceNotice().send("READY=1")
        loop.run()
        ServiceNotice().send("STOPPING=1")
    }

    private func serveHealth(
        _ health: Settings.Configuration.Health?, _ token: Token?, _ service: ControlService?
    ) {
        guard let health else { return }
        let pages = Pages(socket: options.socket, service: service)
        HealthServer(listen: health.listen, token: token, pages: pages, log: options.log).start()
    }
}
