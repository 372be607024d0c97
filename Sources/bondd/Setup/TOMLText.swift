/// Values in TOML syntax (TOML 1.0, basic strings).
enum TOMLText {
    /// A quoted string.
    static func string(_ text: String) -> String {
        var quoted = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"", "\\": quoted += "\\" + String(scalar)
            case _ where scalar.value < 0x20 || scalar.value == 0x7F:
                let digits = String(scalar.value, radix: 16)
                quoted += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: quoted.unicodeScalars.append(scalar)
            }
        }
        return quoted + "\""
    }

    /// An array of strings.
    static func list(_ items: [some CustomStringConvertible]) -> String {
        "[" + items.map { string("\($0)") }.joined(separator: ", ") + "]"
    }
}
