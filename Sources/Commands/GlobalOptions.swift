import ArgumentParser
import ControlProtocol
import Runtime
import Settings

/// Options common to all commands of both programs.
public struct GlobalOptions: ParsableArguments {
    /// bondd's control socket.
    @Option(help: "bondd's control socket; bondd-control's own, control.sock, is next to it.")
    public var socket = "/run/bondd/bondd.sock"

    /// The minimum severity of logged events.
    @Option(name: .customLong("log-level"), help: "debug, info, warning or error.")
    public var logLevel = Log.Level.info

    /// The format of log lines.
    @Option(name: .customLong("log-format"), help: "text or json.")
    public var logFormat = Log.Format.text

    /// The default options.
    public init() {}

    /// The log with these options.
    public var log: Log { Log(level: logLevel, format: logFormat) }

    /// bondd-control's own socket.
    public var gatewaySocket: String { ControlServicePath.asked(of: socket) }
}
