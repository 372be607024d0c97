/// A drawing of lines, boxes and text as SVG. Its background is transparent and its colors are legible on white
/// and on black, because the background of the page is unknown.
struct Drawing {
    /// The position of a text relative to its point.
    enum Anchor: String { case start, middle, end }

    /// A colour of `#rrggbb`.
    struct Colour {
        let hex: String

        /// Text and axes: a contrast of 4 on white and of 5 on GitHub's dark page.
        static let ink = Colour(hex: "#768390")
        /// Lines of a grid.
        static let grid = Colour(hex: "#8b949e")
        static let blue = Colour(hex: "#2f81f7")
        static let grey = Colour(hex: "#8b949e")
        static let orange = Colour(hex: "#d4812a")
        static let green = Colour(hex: "#3f9f58")
        static let red = Colour(hex: "#e5534b")
    }

    private let width: Double
    private let height: Double
    private let title: String
    private var elements: [String] = []

    /// - Parameter title: the description for those who cannot see it.
    init(width: Double, height: Double, title: String) {
        (self.width, self.height, self.title) = (width, height, title)
    }

    mutating func box(_ x: Double, _ y: Double, _ width: Double, _ height: Double, _ colour: Colour) {
        elements.append(
            "<rect x=\"\(Self.text(x))\" y=\"\(Self.text(y))\" width=\"\(Self.text(max(width, 0)))\" "
                + "height=\"\(Self.text(height))\" rx=\"1.5\" fill=\"\(colour.hex)\"/>")
    }

    mutating func line(
        from a: (x: Double, y: Double), to b: (x: Double, y: Double), _ colour: Colour,
        isDashed: Bool = false,
        opacity: Double = 1
    ) {
        elements.append(
            "<line x1=\"\(Self.text(a.x))\" y1=\"\(Self.text(a.y))\" x2=\"\(Self.text(b.x))\" y2=\"\(Self.text(b.y))\" "
                + "stroke=\"\(colour.hex)\" stroke-opacity=\"\(Self.text(opacity))\""
                + "\(isDashed ? " stroke-dasharray=\"4 3\"" : "")/>")
    }

    mutating func curve(_ points: [(x: Double, y: Double)], _ colour: Colour) {
        let list = points.map { "\(Self.text($0.x)),\(Self.text($0.y))" }.joined(separator: " ")
        elements.append(
            "<polyline points=\"\(list)\" fill=\"none\" stroke=\"\(colour.hex)\" stroke-width=\"1.5\" "
                + "stroke-linejoin=\"round\"/>")
    }

    mutating func write(
        _ words: String, at point: (x: Double, y: Double), _ anchor: Anchor = .start, size: Double = 12,
        isBold: Bool = false
    ) {
        elements.append(
            "<text x=\"\(Self.text(point.x))\" y=\"\(Self.text(point.y))\" text-anchor=\"\(anchor.rawValue)\" "
                + "font-size=\"\(Self.text(size))\"\(isBold ? " font-weight=\"600\"" : "")>\(Self.escape(words))</text>"
        )
    }

    /// The file's text.
    var svg: String {
        let size = "width=\"\(Self.text(width))\" height=\"\(Self.text(height))\""
        return """
            <svg xmlns="http://www.w3.org/2000/svg" \(size) viewBox="0 0 \(Self.text(width)) \(Self.text(height))" role="img" \
            font-family="-apple-system, 'Segoe UI', 'Noto Sans', Helvetica, Arial, sans-serif" fill="\(Colour.ink.hex)">
            <title>\(Self.escape(title))</title>
            \(elements.joined(separator: "\n"))
            </svg>

            """
    }

    private static func text(_ value: Double) -> String {
        let text = Format.number(value, decimals: 1)
        return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
    }

    private static func escape(_ words: String) -> String {
        words.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
    }
}
