import ArgumentParser
import Commands
import ControlProtocol
import Glibc
import Host
import Runtime
import Settings

/// `bondd status`
struct StatusCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "Show the sessions and paths of a running bondd.")

    @OptionGroup var options: GlobalOptions

    @Flag(help: "Print JSON.")
    var json = false

    @Flag(help: "Show it live, with keys to change mode and roles.")
    var watch = false

    @Flag(
        name: .customLong("no-color"), help: "With --watch: no colours. The variable NO_COLOR says the same.")
    var noColor = false

    func validate() throws {
        if json && watch { throw ValidationError("--json and --watch don't go together; use one of them") }
    }

    func run() throws {
        if watch {
            let asksForNone = getenv("NO_COLOR").map { $0[0] != 0 } ?? false
            var live = try LiveStatus(socket: options.socket, hasColour: !noColor && !asksForNone)
            return try live.run()
        }
        let status = try ControlClient.get(.status, path: options.socket)
        if json {
            guard let line = try? Line.encode(status) else {
                throw Failure("the status can't be written as JSON")
            }
            print(String(decoding: line, as: UTF8.self), terminator: "")
        } else {
            print(StatusTable(status).text, terminator: "")
        }
    }
}

/// Sends a request to the daemon and throws if it is refused.
func ask(_ request: Request, _ socket: String) throws -> Response {
    let response = try ControlClient.ask(request, path: socket)
    if case .failed(let sentence) = response { throw Failure(sentence) }
    return response
}
