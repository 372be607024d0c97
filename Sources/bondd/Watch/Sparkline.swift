/// Figures as a row of small bars.
struct Sparkline {
    /// The bars' characters, the lowest first.
    let bars: [Character]

    /// For terminals that know Unicode.
    static let unicode = Sparkline(bars: Array("▁▂▃▄▅▆▇█"))
    /// For all others.
    static let ascii = Sparkline(bars: Array("_.:-=+*#"))

    /// The last of `values` in `width` columns, the latest at the right end, where `top` has the highest bar. What is not
    /// there yet is blank.
    func text(_ values: [Double], width: Int, top: Double) -> String {
        let shown = values.suffix(max(width, 0))
        var text = String(repeating: " ", count: max(width, 0) - shown.count)
        for value in shown {
            let share = top > 0 && value.isFinite ? min(max(value / top, 0), 1) : 0
            text.append(bars[Int((share * Double(bars.count - 1)).rounded())])
        }
        return text
    }
}
