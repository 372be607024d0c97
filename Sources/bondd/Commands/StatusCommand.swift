import ArgumentParser
import Commands
import ControlProtocol
import Glibc
import Host
import Runtime
import Settings

/// `bondd status`
struct ShowStatus: ParsableCommand {
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
        let status = try ask(.status, options.socket)
        guard case .status(let status) = status else {
            throw Failure("bondd gave no status; use the bondd command of the daemon's version")
        }
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

/// `bondd set KEY VALUE`
struct Set: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "set",
        abstract:
            "Change a running bondd until it ends or reads its file again.")

    @OptionGroup var options: GlobalOptions

    @Argument(
        help:
            "mode, redundant_paths (0: all), path.NAME.role, path.NAME.cap (Mbit/s), path.NAME.data_cap (GB a month; 0: no cap) or path.NAME.data_used (GB used this month)."
    )
    var key: String

    @Argument(
        help:
            "The new value: a mode (auto, stripe, preferred, redundant), a role (primary, backup, metered, never) or a number."
    )
    var value: String

    func validate() throws {
        // No value is negative; the daemon says the same of all others that are out of range.
        guard !value.hasPrefix("-") else {
            throw ValidationError(
                "\(key) can't be \(value); give a number from 0 (no limit), or a mode or role by name")
        }
    }

    func run() throws {
        _ = try ask(.set(key: key, value: value), options.socket)
    }
}

/// Asks the daemon, and makes its refusal an error.
func ask(_ request: Request, _ socket: String) throws -> Response {
    let response = try ControlClient.ask(request, path: socket)
    if case .failed(let sentence) = response { throw Failure(sentence) }
    return response
}
