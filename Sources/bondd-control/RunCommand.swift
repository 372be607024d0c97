import ArgumentParser
import CLinux
import Control
import ControlProtocol
import Dispatch
import Glibc
import Runtime
import Settings

/// `bondd-control run`
struct Run: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Run in the foreground next to bondd, as a user of its own.",
        discussion: """
            Started as root, it takes what it needs and becomes the user bondd-control, or another that --user names. bondd has to \
            know that one: bondd run --control-user NAME.
            """)

    @OptionGroup var options: StateOptions

    @Option(help: "bondd's configuration; the key files that it names are left alone.")
    var config = "/etc/bondd/bondd.toml"

    @Option(help: "Started as root: the user to become. (default: bondd-control)")
    var user: String?

    @Flag(name: .customLong("as-root"), help: "Stay root when started as root.")
    var staysRoot = false

    @Option(name: .customLong("usage-interval"), help: "Seconds between two counts of what clients use.")
    var usageInterval = 5.0

    func validate() throws {
        guard (0.01...3600).contains(usageInterval) else {
            throw ValidationError("--usage-interval must be 0.01 to 3600 seconds")
        }
        if user != nil && staysRoot { throw ValidationError("--user and --as-root don't go together") }
    }

    func run() throws {
        var loop = try RequestLoop()
        let file = Result { () throws(ConfigurationError) in
            try Configuration(reading: config, keys: .leave)
        }
        if case .success(let configuration) = file, case .client = configuration.role {
            return try runOnClient(configuration, &loop)
        }
        // A file that can't be used may have been left by bondd as well, which goes on with what it had.
        if !Store.exists(in: options.stateDirectory) { _ = try file.get() }
        // Root may have been told to keep it from others.
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
        // They count and store what came last.
        _ = counting.wait(timeout: .now() + 3)
        withExtendedLifetime(lock) {}
    }

    private func runOnClient(
        _ configuration: Settings.Configuration, _ loop: inout RequestLoop
    ) throws {
        guard let health = configuration.health else {
            // No failure, as a package starts it on clients, too.
            options.log(.info, "a client without [health] has nothing for bondd-control to do")
            ServiceNotice().send("READY=1")
            return
        }
        let token = try health.tokenFile.map { try Token(reading: $0) }
        try becomeUser(needsState: false)
        serveHealth(health, token, nil)
        run(&loop)
    }

    /// Root goes on as another user.
    private func becomeUser(needsState: Bool) throws {
        guard geteuid() == 0 else { return }
        if staysRoot {
            options.log(.warning, "bondd-control runs as root, as --as-root says")
            return
        }
        let privileges = try Privileges(
            user: user, config: config, socket: options.socket, stateDirectory: options.stateDirectory)
        try privileges.prepare(needsState: needsState)
        try privileges.drop()
    }

    /// Nil when this kernel or this process's limits are in the way: clients come first.
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
