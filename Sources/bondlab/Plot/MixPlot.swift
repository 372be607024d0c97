/// Bars of a flow's throughput over each mix of links, as shares of the attainable rate.
struct MixPlot {
    private static let bars: [(column: String, name: String, colour: Drawing.Colour)] = [
        ("bond", "bondd", .blue), ("best link", "best link alone, through bondd", .grey),
        ("MPTCP, Cubic", "MPTCP, Cubic", .orange), ("MPTCP, BBR", "MPTCP, BBR", .green),
    ]
    private static let (width, left, right, top) = (900.0, 290.0, 80.0, 74.0)
    private static let (bar, gap) = (8.0, 12.0)
    /// Plain flows have less framing and slightly exceed the tunnel's ceiling.
    private static let most = 1.1

    private let rows: [(label: String, figures: [Figure?])]

    /// - Parameter figures: the figures of the scenario `mixes`; nil if there are none.
    init?(_ figures: [Figure]) {
        var labels: [String] = []
        for figure in figures {
            guard let colon = figure.name.range(of: ": bond") else { continue }
            let label = String(figure.name[..<colon.lowerBound])
            // Symmetric links are shown in one direction.
            if !label.contains(" down ("), !labels.contains(label) { labels.append(label) }
        }
        rows = labels.map { label in
            (label, Self.bars.map { bar in figures.first { $0.name == "\(label): \(bar.column)" } })
        }
        if rows.isEmpty { return nil }
    }

    /// The file's text.
    var svg: String {
        let step = Double(Self.bars.count) * Self.bar + Self.gap
        let bottom = Self.top + Double(rows.count) * step
        let title = "One TCP flow (Cubic) over mixes of links: share of what could be had at best"
        var drawing = Drawing(width: Self.width, height: bottom + 30, title: title)
        drawing.write(title, at: (10, 22), size: 15, isBold: true)
        legend(&drawing)
        for percent in stride(from: 0, through: 100, by: 20) {
            let x = Self.x(Double(percent) / 100)
            drawing.line(
                from: (x, Self.top - 6), to: (x, bottom), percent == 100 ? .red : .grid,
                isDashed: percent == 100, opacity: percent == 100 ? 1 : 0.35)
            drawing.write("\(percent) %", at: (x, bottom + 18), .middle, size: 11)
        }
        for (i, row) in rows.enumerated() {
            let y = Self.top + Double(i) * step
            let (name, links) = Self.parts(of: row.label)
            drawing.write(name, at: (Self.left - 10, y + 14), .end, isBold: true)
            drawing.write(links, at: (Self.left - 10, y + 28), .end, size: 11)
            for (k, figure) in row.figures.enumerated() {
                guard let figure, let ceiling = figure.ceiling, ceiling > 0 else { continue }
                let (top, end) = (y + Double(k) * Self.bar, Self.x(min(figure.median / ceiling, Self.most)))
                drawing.box(Self.left, top, end - Self.left, Self.bar - 1.5, Self.bars[k].colour)
                // Next to the line at 100 %, not on it.
                let place = end > Self.x(1) - 28 ? max(end, Self.x(1)) : end
                drawing.write(
                    Format.number(figure.median, decimals: figure.median < 10 ? 1 : 0),
                    at: (place + 4, top + Self.bar - 1.5), size: 8.5)
            }
        }
        return drawing.svg
    }

    private func legend(_ drawing: inout Drawing) {
        var x = 10.0
        for (i, bar) in Self.bars.enumerated() where rows.contains(where: { $0.figures[i] != nil }) {
            drawing.box(x, 36, 11, 11, bar.colour)
            drawing.write(bar.name, at: (x + 16, 46))
            x += 40 + Double(bar.name.count) * 6.5
        }
        drawing.write("numbers: Mbit/s", at: (x, 46))
    }

    private static func x(_ share: Double) -> Double { left + share / most * (width - left - right) }

    /// Splits "name up (links)", and drops the direction.
    private static func parts(of label: String) -> (name: String, links: String) {
        guard let open = label.range(of: " (") else { return (label, "") }
        let name = label[..<open.lowerBound].split(separator: " ").first.map(String.init) ?? label
        return (name, String(label[open.upperBound...].dropLast()))
    }
}
