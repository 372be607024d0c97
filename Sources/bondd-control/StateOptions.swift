import ArgumentParser
import Commands
import Settings

/// Options common to all commands, among them the location of the state.
struct StateOptions: ParsableArguments {
    @OptionGroup var global: GlobalOptions

    @Option(name: .customLong("state-dir"), help: "The directory of the state.")
    var stateDirectory = "/var/lib/bondd/control"

    var socket: String { global.socket }
    var gatewaySocket: String { global.gatewaySocket }
    var log: Log { global.log }
}
