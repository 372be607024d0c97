/// Text in columns, for the terminal.
struct Table: CustomStringConvertible {
    private var rows: [[String]]

    init(_ heading: [String]) { rows = [heading] }

    mutating func add(_ row: [String]) { rows.append(row) }

    var description: String {
        let widths = rows[0].indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
        return rows.map { row in
            zip(row, widths).map { $0 + String(repeating: " ", count: max($1 - $0.count, 0)) }
                .joined(separator: "  ")
        }.joined(separator: "\n")
    }
}
