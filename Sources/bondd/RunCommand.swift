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

    @Flag(help: "Check the configuration and exit.")
    var check = false

    func run() throws {
        let configuration = try Configuration(reading: config, keys: check ? .check : .read)
        let log = options.log
        for notice in configuration.notices { log(.warning, notice) }
        if check {
            for finding in HostFit(configuration: configuration, facts: .now).findings {
                log(.warning, [finding.found, finding.remedy].compactMap(\.self).joined(separator: "; "))
            }
            return print("\(config) is good")
        }
        var daemon = try Daemon(
            configuration, file: config, socket: options.socket, state: stateDirectory, log: log)
        try daemon.start()
        try daemon.run()
    }
}
