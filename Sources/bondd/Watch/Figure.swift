/// Number formats of the live view.
enum Figure {
    /// With one decimal; none from 1000 on.
    static func text(_ value: Double) -> String {
        guard value.isFinite, abs(value) < 1e9 else { return "-" }
        if abs(value) >= 999.95 { return "\(Int(value.rounded()))" }
        let tenths = Int((abs(value) * 10).rounded())
        return "\(value < 0 && tenths > 0 ? "-" : "")\(tenths / 10).\(tenths % 10)"
    }

    /// A rate in Mbit/s, with two decimals below 10.
    static func rate(_ value: Double) -> String {
        guard value.isFinite, value < 9.995 else { return text(value) }
        let hundredths = Int((max(value, 0) * 100).rounded())
        return "\(hundredths / 100).\(hundredths % 100 < 10 ? "0" : "")\(hundredths % 100)"
    }

    /// `34 s`, `12 min`, `3 h`, `9 d`
    static func time(_ seconds: Double) -> String {
        guard seconds.isFinite, abs(seconds) < 1e15 else { return "-" }
        let whole = Int(seconds)
        if whole < 120 { return "\(whole) s" }
        if whole < 7200 { return "\(whole / 60) min" }
        return whole < 172_800 ? "\(whole / 3600) h" : "\(whole / 86400) d"
    }
}
