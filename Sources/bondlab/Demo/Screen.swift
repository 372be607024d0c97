import Glibc

/// The demo's display: redrawn in place on a terminal, one line at a time otherwise.
final class Screen {
    private let isTerminal = isatty(1) == 1 && getenv("TERM").map { String(cString: $0) } != "dumb"
    /// The number of lines to be overdrawn by the next frame.
    private var drawn = 0
    private var title = ""

    /// Prints text that stays.
    func say(_ text: String) {
        drawn = 0
        print(text)
        fflush(nil)
    }

    /// Prints an event that stays.
    func note(_ text: String) { say("  ── \(text)") }

    /// Shows a frame.
    func show(_ frame: LiveFigures.Frame) {
        if frame.title != title { drawn = 0 }
        title = frame.title
        if isTerminal {
            let lines = frame.rows.map { row in
                let time = row.name == frame.rows.first?.name ? Format.figure(frame.seconds) + " s" : ""
                return Format.left(frame.rows.first?.name == row.name ? frame.title : "", 13)
                    + Format.right(time, 7) + "  " + Format.left(row.name, 6) + Self.bar(row.megabits)
                    + Format.right(Format.figure(row.megabits), 6) + " Mbit/s  "
                    + Format.right(row.rtt.map(Format.figure) ?? "–", 6) + " ms  " + row.state
            }
            // Move up to the first line drawn before; each line is cleared to its end.
            let up = drawn > 0 ? "\u{1B}[\(drawn)A" : ""
            print(up + lines.map { "\r\($0)\u{1B}[K\n" }.joined(), terminator: "")
            drawn = lines.count
        } else {
            let figures = frame.rows.map { row in
                let rtt = row.rtt.map { " \(Format.figure($0)) ms" } ?? ""
                return "\(row.name) \(Format.figure(row.megabits)) Mbit/s\(rtt) \(row.state)"
            }
            print("\(frame.title) \(Format.figure(frame.seconds)) s: " + figures.joined(separator: ", "))
        }
        fflush(nil)
    }

    /// 30 columns for 150 Mbit/s.
    private static func bar(_ megabits: Double) -> String {
        let length = min(max(Int(megabits / 5), 0), 30)
        return String(repeating: "█", count: length) + String(repeating: "·", count: 30 - length)
    }
}
