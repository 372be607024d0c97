import ArgumentParser
import Commands

/// Where `bondd init` and `bondd join` put things.
struct SiteOptions: ParsableArguments {
    @Option(help: "The configuration to write.")
    var config = "/etc/bondd/bondd.toml"

    @Option(name: .customLong("state-dir"), help: "Where bondd keeps what outlives it.")
    var stateDirectory = "/var/lib/bondd"

    @Option(help: "The tunnel's interface.")
    var interface = "bond0"

    @Flag(name: .customLong("no-start"), help: "Do not start the services; with init, invite nobody, either.")
    var isLeftStopped = false

    @Option(
        name: .customLong("control-user"),
        help: "The user that bondd-control runs as where systemd does not start it. (default: bondd-control)")
    var controlUser: String?

    /// The place, for programs that answer on `socket`.
    func site(_ socket: String) -> Site {
        Site(
            config: config, stateDirectory: stateDirectory, socket: socket, controlUser: controlUser)
    }
}
