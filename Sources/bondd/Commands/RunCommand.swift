import ArgumentParser
import Commands
import Daemon
import Glibc
import Host
import Runtime
import Settings

/// `bondd run`
struct RunCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run", abstract: "Run the daemon in the foreground, as client or server.")

    @OptionGroup var options: GlobalOptions

    @OptionGroup var place: PlaceOptions

    @Option(
        name: .customLong("control-user"),
        help: "The user that bondd-control runs as; requests of this user count as bondd-control's.")
    var controlUser = Account.control

    @Flag(help: "Check the configuration and exit.")
    var check = false

    func run() throws {
        let log = options.log
        if !check { MemoryProtection.begin(log) }
        let configuration = try read(log)
        for notice in configuration.notices { log(.warning, notice) }
        if check {
            for finding in HostFit(configuration: configuration, facts: .now).findings {
                log(.warning, [finding.found, finding.remedy].compactMap(\.self).joined(separator: "; "))
            }
            return print("\(place.config) is good")
        }
        var daemon: Daemon
        do {
            daemon = try Daemon(
                configuration, file: place.config, socket: options.socket, state: place.stateDirectory,
                controlUser: controlUser, log: log)
        } catch {
            // A failed start, because the interface belongs to another program for instance, must not open a
            // closed kill switch.
            if case .client(let client) = configuration.role, client.killSwitch { holdKillSwitch(log) }
            throw error
        }
        try daemon.start()
        try daemon.run()
    }

    /// Reads the configuration. If that fails, restores its kill switch as it was last set.
    private func read(_ log: Log) throws -> Configuration {
        do throws(ConfigurationError) {
            return try Configuration(reading: place.config, keys: check ? .check : .read)
        } catch {
            if !check { holdKillSwitch(log) }
            throw error
        }
    }

    private func holdKillSwitch(_ log: Log) {
        HostKillSwitch.hold(file: place.config, directory: place.stateDirectory, log: log)
    }
}
