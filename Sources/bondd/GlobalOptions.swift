import ArgumentParser
import Control
import Settings

/// What every command that speaks to the daemon takes.
struct GlobalOptions: ParsableArguments {
    @Option(help: "bondd's control socket.")
    var socket = "/run/bondd/bondd.sock"

    @Option(name: .customLong("log-level"), help: "debug, info, warning or error.")
    var logLevel = Log.Level.info

    @Option(name: .customLong("log-format"), help: "text or json.")
    var logFormat = Log.Format.text

    var log: Log { Log(level: logLevel, format: logFormat) }
}

extension Log.Level: ExpressibleByArgument {}
extension Log.Format: ExpressibleByArgument {}
