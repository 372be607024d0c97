import ArgumentParser
import Control
import Glibc
import Settings

/// The command line.
@main
struct BondD: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bondd",
        abstract: "A multi-path bonding VPN: all uplinks of a host as one encrypted tunnel.",
        version: Product.version,
        subcommands: [
            Init.self, Invite.self, Join.self, Clients.self, Run.self, ShowStatus.self, Set.self,
            Measure.self, Unlock.self, Cleanup.self, KeyGen.self, PubKey.self,
        ])

    /// Runs a command. Exits 0 on success, 1 on failure, 2 on wrong usage; errors are one sentence on stderr.
    static func main() {
        // A reader that has gone away, as of a pipe, is an error like any other.
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
            let hint = isUsage ? "; see bondd --help" : ""
            let sentence = message(for: error).split(whereSeparator: \.isNewline).joined(separator: " ")
            let line = Array("\(Log.errorPrefix)bondd: \(sentence)\(hint)\n".utf8)
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
