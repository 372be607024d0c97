/// A table that fits into the available columns: the least important ones are left out first, and sparklines
/// take the rest.
struct WatchTable {
    /// Content of a cell.
    enum Cell {
        case text(String, StyledLine.Style)
        /// Figures in a sparkline.
        case rates([Double])
    }

    struct Column {
        var title: String
        var isRight = false
        /// The higher, the sooner the column is left out; 0 means never.
        var rank = 0
        /// Minimum width, so that the column keeps its place while figures change.
        var least = 0
    }

    let columns: [Column]
    /// Rows with one cell per column.
    let rows: [[Cell]]
    let sparkline: Sparkline
    /// The figure that has the highest bar.
    let top: Double

    /// Minimum width of a useful sparkline.
    private static let shortestSparkline = 6
    /// The longest name that is not cut to make room for figures.
    private static let shortName = 12

    /// The header and the rows, each at most `width` wide; the row `selected` is marked.
    func lines(width: Int, selected: Int?) -> [StyledLine] {
        let widths = fit(width)
        var header = StyledLine("  ")
        for (column, size) in zip(columns, widths) where size > 0 {
            header.append(Self.pad(column.title, size, column.isRight) + " ", .dim)
        }
        return [header.cut(to: width)]
            + rows.enumerated().map { number, row in
                var line = number == selected ? StyledLine("> ", .bold) : StyledLine("  ")
                for i in columns.indices where widths[i] > 0 {
                    switch row[i] {
                    case .text(let text, let style):
                        let style = i == 0 && number == selected ? .bold : style
                        line.append(Self.pad(text, widths[i], columns[i].isRight), style)
                    case .rates(let values):
                        line.append(sparkline.text(values, width: widths[i], top: top))
                    }
                    line.append(" ")
                }
                return line.cut(to: width)
            }
    }

    /// The columns' widths; 0 for those left out.
    private func fit(_ width: Int) -> [Int] {
        let wanted = columns.indices.map { column in
            rows.reduce(max(columns[column].title.count, columns[column].least)) { widest, row in
                switch row[column] {
                case .text(let text, _): max(widest, text.count)
                case .rates: max(widest, Self.shortestSparkline)
                }
            }
        }
        var widths = wanted
        widths[0] = min(wanted[0], Self.shortName)
        // Two columns for the mark, one after each column but the last.
        func used() -> Int { widths.reduce(1) { $1 > 0 ? $0 + $1 + 1 : $0 } }
        let byRank = columns.indices.filter { columns[$0].rank > 0 }
            .sorted { columns[$0].rank > columns[$1].rank }
        for column in byRank where used() > width { widths[column] = 0 }
        if used() > width { widths[0] = max(4, widths[0] - (used() - width)) }
        // The remaining width goes to the name first, then to the sparklines in equal parts.
        widths[0] = min(wanted[0], widths[0] + max(0, width - used()))
        let sparklines = columns.indices.filter { widths[$0] > 0 && isSparkline($0) }
        if !sparklines.isEmpty {
            let more = max(0, width - used()) / sparklines.count
            for column in sparklines {
                widths[column] = min(RateHistory.capacity, widths[column] + more)
            }
        }
        return widths
    }

    private func isSparkline(_ column: Int) -> Bool {
        if case .rates = rows.first?[column] { true } else { false }
    }

    /// The text in exactly `size` columns.
    private static func pad(_ text: String, _ size: Int, _ isRight: Bool) -> String {
        if text.count > size { return text.prefix(max(0, size - 1)) + "~" }
        let gap = String(repeating: " ", count: size - text.count)
        return isRight ? gap + text : text + gap
    }
}
