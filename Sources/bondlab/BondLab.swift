import ArgumentParser

/// The command `bondlab`: links that are as bad as you like, on one machine, without traces.
@main struct BondLab: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bondlab", abstract: "Emulated links between network namespaces.",
        subcommands: [])
}
