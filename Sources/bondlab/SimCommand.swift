import ArgumentParser
import Simulation

/// `bondlab sim`: the figures of docs/simulation.md.
struct SimCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sim", abstract: "Simulate what the tunnel gets out of mixes of links, in virtual time.")

    @Option(name: .customLong("row"), help: "Only this mix of links; may be given again.")
    var rows: [String] = []

    @Option(name: .customLong("column"), help: "Only this kind of traffic; may be given again.")
    var columns: [Column] = []

    @Option(help: "What all random choices follow from.")
    var seed: UInt64 = 1

    func run() throws {
        let mixes = Mix.standard.filter { rows.isEmpty || rows.contains($0.name) }
        for mix in mixes {
            for column in columns.isEmpty ? Column.allCases : columns {
                print(mix.name, mix.title, column, Run(mix, column, seed: seed).measure())
            }
        }
    }
}

extension Column: ExpressibleByArgument {}
