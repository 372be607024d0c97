import ArgumentParser
import ControlProtocol
import Runtime
import Settings

/// What every command of both programs takes.
public struct GlobalOptions: ParsableArguments {
    /// bondd's control socket.
    @Option(help: "bondd's control socket; bondd-control's own, control.sock, is next to it.")
    public var socket = "/run/bondd/bondd.sock"

    /// What is not worth a line in the log.
    @Option(name: .customLong("log-level"), help: "debug, info, warning or error.")
    public var logLevel = Log.Level.info

    /// How a line of the log looks.
    @Option(name: .customLong("log-format"), help: "text or json.")
    public var logFormat = Log.Format.text

    /// The usual ones.
    public init() {}

    /// The log that they describe.
    public var log: Log { Log(level: logLevel, format: logFormat) }

    /// bondd-control's own socket.
    public var gatewaySocket: String { ControlServicePath.asked(of: socket) }
}
