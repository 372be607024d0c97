import ArgumentParser
import Commands
import Runtime
import Settings

/// What every command takes, and where the state is.
struct StateOptions: ParsableArguments {
    @OptionGroup var global: GlobalOptions

    @Option(name: .customLong("state-dir"), help: "Where the state is.")
    var stateDirectory = "/var/lib/bondd/control"

    var socket: String { global.socket }
    var gatewaySocket: String { global.gatewaySocket }
    var log: Log { global.log }
}
