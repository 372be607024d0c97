/// Figures as a row of small bars.
struct Sparkline {
    /// The characters of the bars, lowest first.
    let bars: [Character]

    /// For terminals with Unicode.
    static let unicode = Sparkline(bars: Array("▁▂▃▄▅▆▇█"))
    /// For all others.
    static let ascii = Sparkline(bars: Array("_.:-=+*#"))

    /// The last of `values` in `width` columns, with the latest at the right end; a value of `top` has the
    /// highest bar. Columns without a value yet are blank.
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
