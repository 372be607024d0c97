import ArgumentParser
import Commands
import Settings

/// The command line.
@main
struct BondD: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bondd",
        abstract: "A multi-path bonding VPN: all uplinks of a host as one encrypted tunnel.",
        version: Product.version,
        subcommands: [
            Init.self, Invite.self, Join.self, Leave.self, Clients.self, Services.self, PortunusPlane.self,
            Run.self,
            ShowStatus.self, Set.self,
            Measure.self, Unlock.self, Cleanup.self, KeyGen.self, PubKey.self,
        ])

    /// See `runAsProgram`.
    static func main() { runAsProgram() }
}
