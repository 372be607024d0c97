import ArgumentParser
import Settings

/// What every command takes.
struct GlobalOptions: ParsableArguments {
    @Option(help: "bondd's control socket; bondd-control's own, control.sock, is beside it.")
    var socket = "/run/bondd/bondd.sock"

    @Option(name: .customLong("state-dir"), help: "Where the state is.")
    var stateDirectory = "/var/lib/bondd/control"

    @Option(name: .customLong("log-level"), help: "debug, info, warning or error.")
    var logLevel = Log.Level.info

    @Option(name: .customLong("log-format"), help: "text or json.")
    var logFormat = Log.Format.text

    var log: Log { Log(level: logLevel, format: logFormat) }

    /// bondd-control's own socket.
    var controlSocket: String {
        let slash = socket.lastIndex(of: "/")
        return slash.map { socket[...$0] + "control.sock" } ?? "control.sock"
    }
}

extension Log.Level: ExpressibleByArgument {}
extension Log.Format: ExpressibleByArgument {}
