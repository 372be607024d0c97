import ArgumentParser
import Dispatch
import Gateway
import Glibc
import Settings

/// `bondd-control run`
struct Run: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Run in the foreground beside bondd, as any user who may use its socket.")

    @OptionGroup var options: StateOptions

    @Option(help: "bondd's configuration; the key files that it names are left alone.")
    var config = "/etc/bondd/bondd.toml"

    @Option(name: .customLong("usage-interval"), help: "Seconds between two counts of what clients use.")
    var usageInterval = 5.0

    func validate() throws {
        guard (0.01...3600).contains(usageInterval) else {
            throw ValidationError("--usage-interval must be 0.01 to 3600 seconds")
        }
    }

    func run() throws {
        var loop = try RequestLoop()
        let configuration = try Configuration(reading: config, keys: .leave)
        let token = try configuration.health?.tokenFile.map { try Token(reading: $0) }
        switch configuration.role {
        case .server(let server):
            // Held until the process ends.
            let lock = try StateLock(directory: options.stateDirectory, instead: "stop it first")
            let plan = Plan(file: config, tunnel: configuration.tunnel, server: server)
            let store = try Store(directory: options.stateDirectory)
            let services = services(store, configuration, server)
            let link = services.map {
                PlaneLink(services: $0, directory: options.stateDirectory, log: options.log)
            }
            let gateway = try Gateway(
                store: store, plan: plan, file: config, socket: options.socket, log: options.log,
                services: services, link: link)
            try loop.listen(on: options.gatewaySocket, for: gateway)
            link?.start(bundleFile: server.portunus?.bundleFile)
            serveHealth(configuration.health, token, gateway)
            let counting = DispatchGroup()
            DispatchQueue(label: "enrolments").async { gateway.letIn() }
            DispatchQueue(label: "usage").async(group: counting) { [usageInterval] in
                gateway.count(every: usageInterval)
            }
            DispatchQueue(label: "services").async(group: counting) { services?.run() }
            run(&loop)
            link?.stop()
            services?.stop()
            gateway.stop()
            // They count and store what came last.
            _ = counting.wait(timeout: .now() + 3)
            withExtendedLifetime(lock) {}
        case .client:
            guard let health = configuration.health else {
                // No failure, as a package starts it on clients, too.
                options.log(.info, "a client without [health] has nothing for bondd-control to do")
                ServiceNotice().send("READY=1")
                return
            }
            serveHealth(health, token, nil)
            run(&loop)
        }
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
        options.log(.info, "bondd-control runs", ["version": Product.version])
        ServiceNotice().send("READY=1")
        loop.run()
        ServiceNotice().send("STOPPING=1")
    }

    private func serveHealth(
        _ health: Settings.Configuration.Health?, _ token: Token?, _ gateway: Gateway?
    ) {
        guard let health else { return }
        let pages = Pages(socket: options.socket, gateway: gateway)
        HealthServer(listen: health.listen, token: token, pages: pages, log: options.log).start()
    }
}
