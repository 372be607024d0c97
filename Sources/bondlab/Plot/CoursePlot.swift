/// Curves of goodput over time, one below the other, with the events.
struct CoursePlot {
    private static let (width, left, right) = (900.0, 50.0, 20.0)
    private static let (top, height, gap) = (44.0, 120.0, 52.0)

    private let series: [Series]

    /// Nil if there is nothing to show.
    init?(_ series: [Series]) {
        self.series = series.filter { $0.values.count > 1 }
        if self.series.isEmpty { return nil }
    }

    /// The file's text.
    var svg: String {
        let title = "Goodput of one TCP flow while a link dies and comes back"
        let step = Self.height + Self.gap
        var drawing = Drawing(
            width: Self.width, height: Self.top + Double(series.count) * step, title: title)
        drawing.write(title, at: (10, 22), size: 15, isBold: true)
        for (i, course) in series.enumerated() { draw(course, at: Self.top + Double(i) * step, &drawing) }
        return drawing.svg
    }

    private func draw(_ course: Series, at top: Double, _ drawing: inout Drawing) {
        let (low, high) = (top + 22, top + 22 + Self.height)
        let seconds = course.interval * Double(course.values.count)
        // Full tens, so that grid lines are, too.
        let most = max(((course.values.max() ?? 0) / 50).rounded(.up) * 50, 50)
        func x(_ second: Double) -> Double {
            Self.left + second / seconds * (Self.width - Self.left - Self.right)
        }
        func y(_ megabits: Double) -> Double { high - min(megabits / most, 1) * Self.height }
        drawing.write(course.name, at: (Self.left, top + 12), isBold: true)
        for megabits in stride(from: 0, through: most, by: 50) {
            drawing.line(
                from: (Self.left, y(megabits)), to: (Self.width - Self.right, y(megabits)), .grid,
                opacity: 0.35)
            drawing.write(
                Format.number(megabits, decimals: 0), at: (Self.left - 6, y(megabits) + 4), .end, size: 11)
        }
        for second in stride(from: 0, through: seconds, by: 2) {
            drawing.write(
                "\(Format.number(second, decimals: 0)) s", at: (x(second), high + 15), .middle, size: 11)
        }
        for event in course.events {
            drawing.line(from: (x(event.second), low), to: (x(event.second), high), .red, isDashed: true)
            drawing.write(event.name, at: (x(event.second) + 4, low + 10), size: 11)
        }
        let points = course.values.enumerated().map { i, value in
            (x: x((Double(i) + 0.5) * course.interval), y: y(value))
        }
        drawing.curve(points, .blue)
        drawing.write("Mbit/s", at: (Self.left - 6, low - 8), .end, size: 11)
    }
}
