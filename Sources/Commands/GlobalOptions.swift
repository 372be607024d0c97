import ArgumentParser
import ControlProtocol
import Runtime
import Settings

/// Options common to all commands of both programs.
package struct GlobalOptions: ParsableArguments {
    /// bondd's control socket.
    @Option(help: "bondd's control socket; bondd-control's own, control.sock, is next to it.")
    package var socket = "/run/bondd/bondd.sock"

    /// The minimum severity of logged events.
    @Option(name: .customLong("log-level"), help: "debug, info, warning or error.")
    package var logLevel = Log.Level.info

    /// The format of log lines.
    @Option(name: .customLong("log-format"), help: "text or json.")
    package var logFormat = Log.Format.text

    /// The default options.
    package init() {}

    /// The log with these options.
    package var log: Log { Log(level: logLevel, format: logFormat) }

    /// bondd-control's own socket.
    package var gatewaySocket: String { ControlServicePath.asked(of: socket) }
}
