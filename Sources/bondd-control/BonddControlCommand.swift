import ArgumentParser
import Commands
import Settings

/// The command line of bondd-control.
@main
struct BonddControlCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bondd-control",
        abstract: "bondd's companion: enrolment of clients, usage accounting, services, health and metrics.",
        version: Product.version,
        subcommands: [
            RunCommand.self, InviteCommand.self, SetEndpointsCommand.self, BackupCommand.self,
            RestoreCommand.self, WithdrawCommand.self,
            RotateSecretsCommand.self,
        ])

    /// See `runAsProgram`.
    static func main() { runAsProgram() }
}
