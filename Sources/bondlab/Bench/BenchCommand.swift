import ArgumentParser
import Foundation
import Glibc
import Lab
import Simulation

/// `bondlab bench`: produces the figures of docs/benchmarks.md.
struct BenchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench",
        abstract: "Measure the tunnel's throughput over emulated links, its failover and its speed.",
        discussion: "Scenarios:\n"
            + Scenario.allCases.map { "  \(Format.left($0.rawValue, 9)) \($0.title)" }.joined(separator: "\n")
    )

    @Option(name: .customLong("scenario"), help: "Run only this scenario; may be repeated.")
    var scenarios: [Scenario] = []

    @Argument(help: "The same without the word --scenario.")
    var named: [Scenario] = []

    @Option(help: ArgumentHelp("Run only this mix; may be repeated.", valueName: "mix"))
    var only: [String] = []

    @Flag(help: "Measure mixes without their best links alone.")
    var noSingles = false

    @Flag(help: "Measure mixes without MPTCP and links without a tunnel.")
    var noRivals = false

    @Option(help: "How often each figure is measured; the median is reported. \(usualRuns) by default.")
    var runs: Int?

    @Option(
        help: ArgumentHelp("Write mixes.svg and failover.svg, if measured.", valueName: "directory"))
    var plot: String?

    @Flag(help: "Print JSON.")
    var json = false

    @Flag(help: "Print Markdown, as in docs/benchmarks.md.")
    var markdown = false

    private static var usualRuns: String {
        let several = Scenario.allCases.filter { $0.usualRuns > 1 }
        return "1, " + several.map { "\($0.usualRuns) of \($0.rawValue)" }.joined(separator: ", ")
    }

    func validate() throws {
        guard (1...99).contains(runs ?? 1) else { throw ValidationError("--runs is a number from 1 to 99.") }
        for name in only where !Mix.standard.contains(where: { $0.name == name }) {
            throw ValidationError("There is no mix '\(name)'; 'bondlab sim --help' lists them.")
        }
        guard !(json && markdown) else { throw ValidationError("Choose one of --json and --markdown.") }
    }

    func run() throws {
        let interrupt = try Interrupt()
        try Lab.enter()
        let asked = scenarios + named
        let chosen = asked.isEmpty ? Scenario.allCases : asked
        let rivals = chosen.contains(where: \.hasRivals) ? Rivals() : nil
        var report = Report(machine: try Machine(), notes: rivals?.notes ?? [])
        for note in report.notes { Progress.tell(note) }
        var failed = false
        for scenario in chosen {
            do {
                try measure(scenario, Stopper(interrupt), rivals, into: &report)
            } catch is Interrupted {
                Progress.tell("Interrupted; nothing is left behind.")
                throw ExitCode(130)
            } catch let error as LabError {
                // The figures measured until then are still reported.
                failed = true
                report.note("Scenario '\(scenario.rawValue)' ended early: \(error)")
            }
        }
        print(json ? try report.json : markdown ? report.markdown : report.text)
        if let plot { try draw(report, into: plot) }
        if failed { throw ExitCode.failure }
    }

    private func draw(_ report: Report, into directory: String) throws {
        let pictures = [
            ("mixes.svg", MixPlot(report.figures.filter { $0.scenario == Scenario.mixes.rawValue })?.svg),
            ("failover.svg", CoursePlot(report.series)?.svg),
        ]
        for case (let file, let svg?) in pictures {
            let path = "\(directory)/\(file)"
            try svg.write(toFile: path, atomically: true, encoding: .utf8)
            Progress.tell("Wrote \(path).")
        }
    }

    private func measure(
        _ scenario: Scenario, _ stopper: Stopper, _ rivals: Rivals?, into report: inout Report
    ) throws {
        // Also after a failed run.
        defer { report.addRatios(of: scenario) }
        let runs = runs ?? scenario.usualRuns
        for run in 1...runs {
            Progress.tell("\(scenario.rawValue): \(scenario.title)\(runs > 1 ? ", run \(run)" : "") …")
            let mixes = MixChoice(only: only, withSingles: !noSingles, withRivals: !noRivals)
            let round = Round(
                stopper: stopper, rivals: rivals, mixes: mixes, number: run, count: runs)
            report.add(try scenario.findings(round), of: scenario)
        }
    }
}

extension Scenario: ExpressibleByArgument {}

/// Ends a bench between two measurements on request.
struct Stopper {
    private let interrupt: Interrupt

    init(_ interrupt: Interrupt) { self.interrupt = interrupt }

    /// Waits this long. Throws `Interrupted` as soon as SIGINT or SIGTERM arrives.
    func wait(seconds: Double) throws { if interrupt.comes(within: seconds) { throw Interrupted() } }

    /// Throws `Interrupted` if SIGINT or SIGTERM has arrived.
    func check() throws { if interrupt.hasCome { throw Interrupted() } }
}
