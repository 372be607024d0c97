import Foundation

/// All figures of a bench.
struct Report: Encodable {
    let machine: Machine
    /// Notes for the reader, one sentence each.
    private(set) var notes: [String]
    private(set) var figures: [Figure] = []
    /// Figures over time, from the last run.
    private(set) var series: [Series] = []

    init(machine: Machine, notes: [String] = []) { (self.machine, self.notes) = (machine, notes) }

    mutating func note(_ note: String) { notes.append(note) }

    mutating func add(_ findings: Findings, of scenario: Scenario) {
        add(findings.samples, of: scenario)
        for note in findings.notes where !notes.contains(note) { notes.append(note) }
        for course in findings.series {
            series.removeAll { $0.name == course.name }
            series.append(course)
        }
    }

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

    /// Adds the ratios of a scenario, once it is complete.
    mutating func addRatios(of scenario: Scenario) {
        let own = figures.filter { $0.scenario == scenario.rawValue }
        add(scenario.ratios.compactMap { $0.sample(of: own) }, of: scenario)
    }

    private static let heading = ["scenario", "figure", "median", "least – most", "of ceiling", "target", ""]

    /// A table for each of the scenarios with a row for each subject, and one for all others.
    private var tables: [[[String]]] {
        let wide = Scenario.allCases.filter(\.isWide).map(\.rawValue)
        let narrow = figures.filter { !wide.contains($0.scenario) }
        let several = wide.map { name in figures.filter { $0.scenario == name } }.filter { !$0.isEmpty }
        return several.map { WideTable($0).rows }
            + (narrow.isEmpty ? [] : [[Self.heading] + narrow.map(\.row)])
    }

    /// For people at a terminal.
    var text: String {
        let parts = tables.map { rows in
            var table = Table(rows[0])
            for row in rows.dropFirst() { table.add(row) }
            return "\(table)"
        }
        return ([(machine.lines + notes).joined(separator: "\n")] + parts).joined(separator: "\n\n")
    }

    /// For docs/benchmarks.md.
    var markdown: String {
        let parts = tables.map { rows in
            ([rows[0], rows[0].map { _ in "---" }] + rows.dropFirst())
                .map { "| " + $0.joined(separator: " | ") + " |" }.joined(separator: "\n")
        }
        return ([(machine.lines + notes).map { "- \($0)" }.joined(separator: "\n")] + parts)
            .joined(separator: "\n\n")
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
