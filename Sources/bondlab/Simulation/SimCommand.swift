import ArgumentParser
import Foundation
import Simulation

/// `bondlab sim`: produces the figures of docs/simulation.md.
struct SimCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sim",
        abstract: "Simulate the tunnel over mixes of links, in virtual time.",
        discussion: """
            Two Engines, simulated links and flows, no network: the same seed gives the same figures. 12 s are measured after 4 s.

            Rows:
            \(Mix.standard.map { "  \(Format.left($0.name, 11)) \($0.title)" }.joined(separator: "\n"))

            Columns: \(Column.allCases.map(\.rawValue).joined(separator: ", ")) \
            (light: a call and pings alone, busy: the same next to a Cubic flow).
            """)

    @Option(name: .customLong("row"), help: "Only this mix of links; may be repeated.")
    var rows: [String] = []

    @Option(name: .customLong("column"), help: "Only this kind of traffic; may be repeated.")
    var columns: [Column] = []

    @Option(help: "The seed of all random choices.")
    var seed: UInt64 = 1

    @Option(help: "The number of seeds, from --seed on; the mean is reported.")
    var seeds = 1

    @Option(help: "The number of concurrent runs.")
    var jobs = 1

    @Flag(help: "Let the Cubic flows use explicit congestion notification.")
    var ecn = false

    @Flag(help: "Print JSON.")
    var json = false

    @Option(help: "Write a line of figures for every 10 ms to this file (CSV); for one row and one column.")
    var trace: String?

    @Option(help: "Fail if the tables differ from this file.")
    var check: String?

    @Option(help: "Write the tables into this file.")
    var update: String?

    func validate() throws {
        for row in rows where !Mix.standard.contains(where: { $0.name == row }) {
            throw ValidationError("There is no row '\(row)'; 'bondlab sim --help' lists them.")
        }
        guard (1...64).contains(jobs) else { throw ValidationError("--jobs is a number from 1 to 64.") }
        guard (1...1000).contains(seeds) else {
            throw ValidationError("--seeds is a number from 1 to 1000.")
        }
        if trace != nil && (rows.count != 1 || columns.count != 1 || seeds != 1) {
            throw ValidationError("--trace requires one --row, one --column and one seed.")
        }
        if (check ?? update) != nil && (!columns.isEmpty || seed != 1 || seeds != 1 || json || ecn) {
            throw ValidationError("--check and --update require all columns, seed 1, no ECN, and text.")
        }
        if update != nil && !rows.isEmpty { throw ValidationError("--update requires all rows.") }
    }

    func run() throws {
        let mixes = Mix.standard.filter { rows.isEmpty || rows.contains($0.name) }
        let batch = SimulationBatch(
            mixes: mixes, columns: columns.isEmpty ? Column.allCases : columns,
            seeds: (0..<UInt64(seeds)).map { seed &+ $0 },
            usesECN: ecn)
        let snapshot = try (check ?? update).map { try Snapshot(path: $0) }
        var traced = ""
        let results =
            trace == nil ? batch.results(jobs: jobs) : batch.trace { traced += $0 + "\n" }
        if let trace { try traced.write(toFile: trace, atomically: true, encoding: .utf8) }
        let lines = SimulationTable(results: results).lines
        if let snapshot, update != nil {
            try snapshot.replace(by: lines)
        } else if let snapshot {
            let difference = snapshot.difference(to: lines, isPart: !rows.isEmpty)
            guard difference.isEmpty else {
                print(difference.joined(separator: "\n"))
                print(
                    "The simulation differs from \(check!). If it should: make simulation-table, and commit it."
                )
                throw ExitCode.failure
            }
            print("The simulation is as in \(check!).")
        } else if json {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
            encoder.nonConformingFloatEncodingStrategy = .convertToString(
                positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
            print(String(decoding: try encoder.encode(results), as: UTF8.self))
        } else {
            print(lines.joined(separator: "\n"))
        }
    }
}

extension Column: ExpressibleByArgument {}
