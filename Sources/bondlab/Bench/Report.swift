import Foundation

/// All figures of a bench.
struct Report: Encodable {
    let machine: Machine
    /// What else a reader has to know, in a sentence each.
    private(set) var notes: [String]
    private(set) var figures: [Figure] = []

    init(machine: Machine, notes: [String] = []) { (self.machine, self.notes) = (machine, notes) }

    mutating func note(_ note: String) { notes.append(note) }

    mutating func add(_ samples: [Sample], of scenario: Scenario) {
        for sample in samples {
            let known = figures.firstIndex { $0.scenario == scenario.rawValue && $0.name == sample.name }
            if let known {
                figures[known].add(sample.value)
            } else {
                figures.append(Figure(sample, of: scenario))
            }
        }
    }

    /// Adds the ratios of a scenario, once it is through.
    mutating func addRatios(of scenario: Scenario) {
        let own = figures.filter { $0.scenario == scenario.rawValue }
        add(scenario.ratios.compactMap { $0.sample(of: own) }, of: scenario)
    }

    private static let heading = ["scenario", "figure", "median", "least – most", "of ceiling", "target", ""]

    /// For people at a terminal.
    var text: String {
        var table = Table(Self.heading)
        for figure in figures { table.add(figure.row) }
        return (machine.lines + notes).joined(separator: "\n") + "\n\n\(table)"
    }

    /// For docs/benchmarks.md.
    var markdown: String {
        let rows = [Self.heading, Self.heading.map { _ in "---" }] + figures.map(\.row)
        return (machine.lines + notes).map { "- \($0)" }.joined(separator: "\n") + "\n\n"
            + rows.map { "| " + $0.joined(separator: " | ") + " |" }.joined(separator: "\n")
    }

    /// For programs. A figure that is infinite is the string "inf".
    var json: String {
        get throws {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
            encoder.nonConformingFloatEncodingStrategy = .convertToString(
                positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
            return String(decoding: try encoder.encode(self), as: UTF8.self)
        }
    }
}
