/// Figures as text.
enum Format {
    /// With one decimal.
    static func figure(_ value: Double) -> String { number(value, decimals: 1) }

    /// With this many decimals.
    static func number(_ value: Double, decimals: Int) -> String {
        guard value.isFinite else { return "∞" }
        var scale = 1.0
        for _ in 0..<decimals { scale *= 10 }
        let rounded = Int((abs(value) * scale).rounded())
        let (whole, rest) = rounded.quotientAndRemainder(dividingBy: Int(scale))
        let digits = String(rest)
        let fraction =
            decimals == 0 ? "" : "." + String(repeating: "0", count: decimals - digits.count) + digits
        return (value < 0 && rounded > 0 ? "-" : "") + "\(whole)\(fraction)"
    }

    /// Padded with spaces on the right.
    static func left(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(width - text.count, 0))
    }

    /// Padded with spaces on the left.
    static func right(_ text: String, _ width: Int) -> String {
        String(repeating: " ", count: max(width - text.count, 0)) + text
    }
}
