/// Figures of a scenario with a row for each subject: a figure's name is "SUBJECT: COLUMN".
struct WideTable {
    /// The heading and the rows.
    let rows: [[String]]

    init(_ figures: [Figure]) {
        var columns: [String] = []
        var subjects: [String] = []
        var cells: [String: [String: Figure]] = [:]
        for figure in figures {
            let (subject, column) = Self.parts(of: figure)
            if !columns.contains(column) { columns.append(column) }
            if cells[subject] == nil { subjects.append(subject) }
            cells[subject, default: [:]][column] = figure
        }
        var rows = [["links"] + columns + ["targets"]]
        for subject in subjects {
            let figures = columns.map { cells[subject]?[$0] }
            let targets = figures.compactMap(\.self).filter(\.hasTarget)
            let missed = targets.filter { !$0.isMet }.map {
                Self.parts(of: $0).column.split(separator: ",\u{A0}")[0]
            }
            let verdict =
                targets.isEmpty ? "" : missed.isEmpty ? "met" : "MISSED: \(missed.joined(separator: "; "))"
            rows.append([subject] + figures.map { $0?.cell ?? "" } + [verdict])
        }
        self.rows = rows
    }

    /// Splits a figure's name. A column's unit is in its heading.
    private static func parts(of figure: Figure) -> (subject: String, column: String) {
        guard let colon = figure.name.range(of: ": ") else { return (figure.name, figure.unit) }
        let name = String(figure.name[colon.upperBound...])
        return (
            String(figure.name[..<colon.lowerBound]),
            figure.unit == "packets" ? name : "\(name),\u{A0}\(figure.unit)"
        )
    }
}
