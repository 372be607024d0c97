import ArgumentParser
import Glibc
import Settings

/// The command line.
@main
struct BonddControl: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bondd-control",
        abstract: "bondd's second process: who may connect, what they use, health and metrics.",
        version: Product.version,
        subcommands: [Run.self, Invite.self, SetEndpoints.self, Backup.self, Restore.self])

    /// Runs a command. Exits 0 on success, 1 on failure, 2 on wrong usage; errors are one sentence on stderr.
    static func main() {
        signal(SIGPIPE, SIG_IGN)
        do {
            var command = try parseAsRoot()
            try command.run()
        } catch {
            let code = exitCode(for: error)
            if code.isSuccess {
                print(fullMessage(for: error))
                Glibc.exit(0)
            }
            let isUsage = code == .validationFailure
            let hint = isUsage ? "; see bondd-control --help" : ""
            let sentence = message(for: error).split(whereSeparator: \.isNewline).joined(separator: " ")
            let line = Array("bondd-control: \(sentence)\(hint)\n".utf8)
            _ = write(STDERR_FILENO, line, line.count)
            Glibc.exit(isUsage ? 2 : 1)
        }
    }
}

/// A failure with the sentence that the user reads.
struct Failure: Error, CustomStringConvertible {
    let description: String

    init(_ sentence: String) { description = sentence }
}
