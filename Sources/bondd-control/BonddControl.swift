import ArgumentParser
import Commands
import Settings

/// The command line of bondd-control.
@main
struct BonddControl: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bondd-control",
        abstract: "bondd's companion: enrolment of clients, usage accounting, services, health and metrics.",
        version: Product.version,
        subcommands: [
            Run.self, Invite.self, SetEndpoints.self, Backup.self, Restore.self, Withdraw.self,
            RotateSecrets.self,
        ])

    /// See `runAsProgram`.
    static func main() { runAsProgram() }
}
