import ArgumentParser
import Foundation
import Lab
import LinkModel
import Proto
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

            Rows whose links change all the time; 20 s count from the start, with pings next to each flow:
            \(Mix.varying.map { "  \(Format.left($0.name, 11)) \($0.title)" }.joined(separator: "\n"))

            Columns: \(Column.steady.map(\.rawValue).joined(separator: ", ")) \
            (light: a call and pings alone, busy: next to a Cubic flow); \
            over links that change all the time \(Column.varying.map(\.rawValue).joined(separator: ", ")).

            --link and --drive take the place of the rows: other links, or recorded ones. --drive FILE is a CSV file with a \
            column of Mbit/s for each network and a line for each second; delays, loss and queues are those that such \
            networks usually have. Example: bondlab sim --drive drive-1.csv --network starlink --network att --column cubic
            """)

    @Option(name: .customLong("row"), help: "Only this mix of links; may be repeated.")
    var rows: [String] = []

    @Option(name: .customLong("column"), help: "Only this kind of traffic; may be repeated.")
    var columns: [Column] = []

    @Option(
        name: .customLong("link"),
        help: ArgumentHelp("A link as 'bondlab --help' describes it; may be given again.", valueName: "spec"))
    var links: [String] = []

    @Option(
        name: .customLong("drive"),
        help: ArgumentHelp("A recorded drive; may be given again.", valueName: "file"))
    var drives: [String] = []

    @Option(
        name: .customLong("network"),
        help: ArgumentHelp("Of a drive only this column; may be given again.", valueName: "column"))
    var networks: [String] = []

    @Option(help: "What the rates of a drive are multiplied by.")
    var scale = 0.4

    @Flag(help: "Send the bulk of the traffic over --link upwards, client to server.")
    var up = false

    @Option(help: "The tunnel's mode for --link and --drive.")
    var mode = Mode.auto

    @Option(help: "How many seconds of --link and --drive count.")
    var seconds = 50

    @Option(help: "What all random choices follow from.")
    var seed: UInt64 = 1

    @Option(help: "The number of seeds, from --seed on; the mean is reported.")
    var seeds = 1

    @Option(help: "The number of concurrent runs.")
    var jobs = 1

    @Flag(help: "Let the Cubic flows use explicit congestion notification.")
    var ecn = false

    @Flag(
        name: .customLong("shared"),
        help:
            "Instead of the tables, print the parts of one link of 100/10 that a tunnel and a neighbor's flow have."
    )
    var isShared = false

    @Flag(help: "Print JSON.")
    var json = false

    @Option(help: "Write a line of figures for every 10 ms to this file (CSV); for one row and one column.")
    var trace: String?

    @Option(help: "Fail if the tables differ from this file.")
    var check: String?

    @Option(help: "Write the tables into this file.")
    var update: String?

    func validate() throws {
        for row in rows where !Self.allRows.contains(where: { $0.name == row }) {
            throw ValidationError("There is no row '\(row)'; 'bondlab sim --help' lists them.")
        }
        guard (1...64).contains(jobs) else { throw ValidationError("--jobs is a number from 1 to 64.") }
        guard (1...1000).contains(seeds) else {
            throw ValidationError("--seeds is a number from 1 to 1000.")
        }
        let own = links.isEmpty ? drives.count : drives.count + 1
        if own > 0 && (!rows.isEmpty || (check ?? update) != nil) {
            throw ValidationError("--link and --drive go without --row, --check and --update.")
        }
        guard (1...3600).contains(seconds) else {
            throw ValidationError("--seconds is a number from 1 to 3600.")
        }
        guard (0.001...100).contains(scale) else {
            throw ValidationError("--scale is between 0.001 and 100.")
        }
        if trace != nil && (rows.count + own != 1 || columns.count != 1 || seeds != 1) {
            throw ValidationError("--trace wants one row, one --column and one seed.")
        }
        if (check ?? update) != nil && (!columns.isEmpty || seed != 1 || seeds != 1 || json || ecn) {
            throw ValidationError("--check and --update require all columns, seed 1, no ECN, and text.")
        }
        if update != nil && !rows.isEmpty { throw ValidationError("--update requires all rows.") }
    }

    func run() throws {
        if isShared { return printParts() }
        let own = try ownMixes()
        let mixes = own.isEmpty ? Self.allRows.filter { rows.isEmpty || rows.contains($0.name) } : own
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

    /// Prints how a tunnel with one and with two paths shares a link with a neighbor's flow.
    private func printParts() {
        let link = LinkPlan(LinkShape(megabits: 100, milliseconds: 10))
        for neighbor in SharedQueue.Neighbor.allCases {
            for paths in 1...2 {
                let parts = SharedQueue(link, paths: paths, neighbor: neighbor, seed: seed).measure()
                let share = parts.tunnel / (parts.tunnel + parts.neighbor)
                let percent = [parts.tunnel, parts.neighbor, share].map { Int(($0 * 100).rounded()) }
                print(
                    "\(paths) of the tunnel's paths next to \(neighbor.rawValue): \(percent[0]) % of the link and \(percent[1]) %, a share of \(percent[2]) %"
                )
            }
        }
    }

    private static let allRows = Mix.standard + Mix.varying

    /// The mixes defined by --link and --drive.
    private func ownMixes() throws(LabError) -> [Mix] {
        var mixes: [Mix] = []
        for path in drives {
            let drive = try RecordedDrive(path: path, scale: scale, networks: networks)
            mixes.append(Mix(drive, over: .whole(seconds), mode: mode))
        }
        if links.isEmpty { return mixes }
        var plans: [LinkPlan] = []
        for text in links { plans.append(LinkPlan(try LinkSpec(text))) }
        return mixes + [
            Mix(
                "links", links.joined(separator: " + "), plans, from: up ? .client : .server,
                over: .whole(seconds), mode: mode)
        ]
    }
}

extension LinkPlan {
    /// A link of a lab.
    init(_ spec: LinkSpec) { self.init(spec.up, down: spec.down) }
}

extension Mix {
    /// The links of a drive, with traffic downwards.
    init(_ drive: RecordedDrive, over span: Span, mode: Mode = .auto) {
        self.init(
            drive.name, drive.links.map(\.name).joined(separator: " + "), drive.links.map { LinkPlan($0) },
            from: .server, over: span, mode: mode)
    }
}

extension Column: ExpressibleByArgument {}

extension Mode: ExpressibleByArgument {
    /// The mode that a word stands for.
    public init?(argument: String) { self.init(word: argument) }
}
