import ArgumentParser
import Commands
import Settings

/// The command line.
@main
struct BonddControl: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bondd-control",
        abstract: "bondd's second process: who may connect, what they use, health and metrics.",
        version: Product.version,
        subcommands: [
            Run.self, Invite.self, SetEndpoints.self, Backup.self, Restore.self, Withdraw.self,
            RotateSecrets.self,
        ])

    /// See `runAsProgram`.
    static func main() { runAsProgram() }
}
