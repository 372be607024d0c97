/// A drive over time: the links' capacity and the flows' throughput, and below them the pings next to each
/// flow.
struct DrivePlot {
    private static let (width, left, right, top) = (900.0, 60.0, 20.0, 64.0)
    private static let (height, gap) = (220.0, 70.0)
    /// Round-trip times from 10 ms to 10 s, as their logarithm.
    private static let decades = 3.0
    private static let colours: [Drawing.Colour] = [.blue, .orange, .green, .red]

    private let course: DriveCourse
    private var seconds: Double { course.interval * Double(course.offered.count) }

    /// nil if there is nothing to show.
    init?(_ course: DriveCourse) {
        if course.offered.count < 2 || course.runs.isEmpty { return nil }
        self.course = course
    }

    /// The file's text.
    var svg: String {
        let title = "\(course.name): what the links offer, and what one flow gets"
        var drawing = Drawing(
            width: Self.width, height: Self.top + 2 * (Self.height + Self.gap), title: title)
        drawing.write(title, at: (10, 22), size: 15, isBold: true)
        var x = Self.left
        for (i, name) in (["offered"] + course.runs.map(\.name)).enumerated() {
            drawing.box(x, 36, 12, 10, i == 0 ? .grey : Self.colours[(i - 1) % Self.colours.count])
            drawing.write(name, at: (x + 18, 46))
            x += 40 + 7.5 * Double(name.count)
        }
        drawRates(&drawing, Self.top + 12)
        drawPings(&drawing, Self.top + Self.height + Self.gap)
        return drawing.svg
    }

    private func x(_ second: Double) -> Double {
        Self.left + second / seconds * (Self.width - Self.left - Self.right)
    }

    private func drawRates(_ drawing: inout Drawing, _ low: Double) {
        let most = max(((course.offered.max() ?? 0) / 50).rounded(.up) * 50, 50)
        func y(_ megabits: Double) -> Double { low + Self.height * (1 - min(megabits / most, 1)) }
        for megabits in stride(from: 0, through: most, by: 50) {
            grid(&drawing, y(megabits), Format.number(megabits, decimals: 0))
        }
        axis(&drawing, low + Self.height)
        drawing.write("Mbit/s", at: (Self.left - 6, low - 8), .end, size: 11)
        drawing.curve(points(course.offered, y), .grey)
        for (i, run) in course.runs.enumerated() {
            drawing.curve(points(run.megabits, y), Self.colours[i % Self.colours.count])
        }
    }

    private func points(_ values: [Double], _ y: (Double) -> Double) -> [(x: Double, y: Double)] {
        values.prefix(course.offered.count).enumerated().map { i, value in
            (x: x((Double(i) + 0.5) * course.interval), y: y(value))
        }
    }

    private func drawPings(_ drawing: inout Drawing, _ low: Double) {
        func y(_ milliseconds: Double) -> Double {
            low + Self.height * (1 - min(max(Self.logarithm(milliseconds / 10) / Self.decades, 0), 1))
        }
        for (milliseconds, name) in [(10.0, "10 ms"), (100, "100 ms"), (1000, "1 s"), (10_000, "10 s")] {
            grid(&drawing, y(milliseconds), name)
        }
        axis(&drawing, low + Self.height)
        drawing.write("ping", at: (Self.left - 6, low - 8), .end, size: 11)
        for (i, run) in course.runs.enumerated() where run.pings.count > 1 {
            let points = run.pings.filter { $0[0] <= seconds }.map { (x: x($0[0]), y: y($0[1])) }
            drawing.curve(points, Self.colours[i % Self.colours.count])
        }
    }

    private func grid(_ drawing: inout Drawing, _ y: Double, _ name: String) {
        drawing.line(from: (Self.left, y), to: (Self.width - Self.right, y), .grid, opacity: 0.35)
        drawing.write(name, at: (Self.left - 6, y + 4), .end, size: 11)
    }

    private func axis(_ drawing: inout Drawing, _ y: Double) {
        for second in stride(from: 0, through: seconds, by: 10) {
            drawing.write(
                "\(Format.number(second, decimals: 0)) s", at: (x(second), y + 15), .middle, size: 11)
        }
    }

    /// Base-10 logarithm, by halving: three decimals are enough for a picture.
    private static func logarithm(_ value: Double) -> Double {
        if value <= 0 { return -10 }
        var (rest, result, step) = (value, 0.0, 1.0)
        while rest >= 10 { (rest, result) = (rest / 10, result + 1) }
        while rest < 1 { (rest, result) = (rest * 10, result - 1) }
        for _ in 0..<12 {
            step /= 2
            rest *= rest
            if rest >= 10 { (rest, result) = (rest / 10, result + step) }
        }
        return result
    }
}
