import ArgumentParser
import Commands
import Control
import Glibc
import Settings

/// `bondd run`
struct Run: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run", abstract: "Run the daemon in the foreground, as client or server.")

    @OptionGroup var options: GlobalOptions

    @Option(help: "The configuration.")
    var config = "/etc/bondd/bondd.toml"

    @Option(name: .customLong("state-dir"), help: "Where bondd keeps what outlives it.")
    var stateDirectory = "/var/lib/bondd"

    @Option(
        name: .customLong("control-user"),
        help: "The user that bondd-control runs as, whose requests are taken for its own.")
    var controlUser = Account.control

    @Flag(help: "Check the configuration and exit.")
    var check = false

    func run() throws {
        let configuration = try Configuration(reading: config)
        let log = options.log
        for notice in configuration.notices { log(.warning, notice) }
        if check { return }
        var daemon = try Daemon(
            configuration, file: config, socket: options.socket, state: stateDirectory,
            controlUser: controlUser, log: log)
        try daemon.start()
        try daemon.run()
    }
}
