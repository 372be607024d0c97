import ArgumentParser
import Glibc
import Lab

/// `bondlab bench`: the figures of docs/benchmarks.md.
struct BenchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench",
        abstract: "Measure what the tunnel gets out of emulated links, how it fails over and how fast it is.",
        discussion: "Scenarios:\n"
            + Scenario.allCases.map { "  \(Format.left($0.rawValue, 9)) \($0.title)" }.joined(separator: "\n")
    )

    @Option(name: .customLong("scenario"), help: "Only this scenario; may be given again.")
    var scenarios: [Scenario] = []

    @Option(help: "How often each figure is measured; the median is told.")
    var runs = 1

    @Flag(help: "Print JSON.")
    var json = false

    @Flag(help: "Print Markdown, as in docs/benchmarks.md.")
    var markdown = false

    func validate() throws {
        guard (1...99).contains(runs) else { throw ValidationError("--runs is a number from 1 to 99.") }
        guard !(json && markdown) else { throw ValidationError("Choose one of --json and --markdown.") }
    }

    func run() throws {
        let interrupt = try Interrupt()
        try Lab.enter()
        var report = Report(machine: try Machine())
        do {
            for scenario in scenarios.isEmpty ? Scenario.allCases : scenarios {
                for run in 1...runs {
                    say("\(scenario.rawValue): \(scenario.title)\(runs > 1 ? ", run \(run)" : "") …")
                    report.add(try scenario.measure(Stopper(interrupt)), of: scenario)
                }
            }
        } catch is Interrupted {
            say("Interrupted; nothing is left behind.")
            throw ExitCode(130)
        }
        print(json ? try report.json : markdown ? report.markdown : report.text)
    }

    /// Progress, on stderr: stdout is for the report.
    private func say(_ text: String) {
        let line = text + "\n"
        _ = write(2, line, line.utf8.count)
    }
}

extension Scenario: ExpressibleByArgument {}

/// Ends a bench between two measurements when it is told to.
struct Stopper {
    private let interrupt: Interrupt

    init(_ interrupt: Interrupt) { self.interrupt = interrupt }

    /// Throws `Interrupted` when SIGINT or SIGTERM came.
    func check() throws { if interrupt.hasCome { throw Interrupted() } }
}
