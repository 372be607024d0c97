/// A line of text with colours, measured in columns.
struct StyledLine {
    /// Appearance of a part.
    enum Style: String {
        case plain = ""
        case bold = "1"
        case dim = "2"
        case good = "32"
        case warning = "33"
        case bad = "31"
    }

    private var parts: [(text: String, style: Style)] = []

    init(_ text: String = "", _ style: Style = .plain) { append(text, style) }

    /// The text without any style.
    var text: String { parts.map(\.text).joined() }
    /// Its columns: every visible character is one column wide.
    var width: Int { parts.reduce(0) { $0 + $1.text.count } }

    mutating func append(_ text: String, _ style: Style = .plain) {
        // Control characters in a name or sentence from elsewhere must not control the terminal.
        let safe = String(
            text.map { $0.unicodeScalars.allSatisfy { $0.value >= 32 && $0.value != 127 } ? $0 : "?" })
        if !safe.isEmpty { parts.append((safe, style)) }
    }

    /// The line cut to at most `columns`.
    func cut(to columns: Int) -> StyledLine {
        var line = StyledLine()
        var room = columns
        for part in parts where room > 0 {
            line.append(String(part.text.prefix(room)), part.style)
            room -= part.text.count
        }
        return line
    }

    /// The text with escape sequences; colours only if `hasColour`.
    func drawn(hasColour: Bool) -> String {
        parts.map { part in
            let isDrawn = part.style == .bold || hasColour && part.style != .plain
            return isDrawn ? "\u{1B}[\(part.style.rawValue)m\(part.text)\u{1B}[0m" : part.text
        }.joined()
    }
}
