import Glibc

/// Writes one line for each event to stderr; never for a dropped packet, and never with a secret in it.
package struct Log: Sendable {
    /// The severity of an event; the raw value is the word of `--log-level`.
    package enum Level: String, CaseIterable, Comparable, Sendable {
        case debug, info, warning, error

        /// Whether `a` is less severe than `b`.
        package static func < (a: Level, b: Level) -> Bool { a.priority > b.priority }

        /// The syslog severity (RFC 5424 6.2.1), which journald reads as `<6>` at the start of a line.
        var priority: Int {
            switch self {
            case .debug: 7
            case .info: 6
            case .warning: 4
            case .error: 3
            }
        }
    }

    /// The format of a line; the raw value is the word of `--log-format`.
    package enum Format: String, CaseIterable, Sendable {
        /// `info path is up path=fibre rtt=12.1`
        case text
        /// `{"time":"…","level":"info","message":"path is up","path":"fibre","rtt":"12.1"}`
        case json
    }

    /// Events less severe than this are not written.
    package var level: Level
    /// The format of each line.
    package var format: Format

    private let fileDescriptor: Int32
    private let toJournal: Bool

    /// A log on stderr; lines carry journald's priority prefix if stderr is connected to the journal.
    package init(level: Level = .info, format: Format = .text, fileDescriptor: Int32 = 2) {
        self.level = level
        self.format = format
        self.fileDescriptor = fileDescriptor
        toJournal = Self.leadsToJournal(fileDescriptor)
    }

    /// The prefix of an error on stderr: journald's priority if stderr is connected to the journal, otherwise
    /// empty.
    package static var errorPrefix: String { leadsToJournal(2) ? "<\(Level.error.priority)>" : "" }

    private static func leadsToJournal(_ fileDescriptor: Int32) -> Bool {
        var facts = stat()
        guard let journal = getenv("JOURNAL_STREAM"), fstat(fileDescriptor, &facts) == 0 else { return false }
        return String(cString: journal) == "\(facts.st_dev):\(facts.st_ino)"
    }

    /// Writes a line if `level` is enabled; otherwise neither the message nor the fields are evaluated.
    /// Field names are lower case with underscores, and none is `time`, `level` or `message`.
    package func callAsFunction(
        _ level: Level, _ message: @autoclosure () -> String,
        _ fields: @autoclosure () -> KeyValuePairs<String, String> = [:]
    ) {
        guard level >= self.level else { return }
        let line = Array(line(level, message(), fields(), time: time(nil)).utf8)
        // One write per line keeps lines whole; a failed write is ignored, since logging must not stop the
        // program.
        _ = write(fileDescriptor, line, line.count)
    }

    func line(
        _ level: Level, _ message: String, _ fields: KeyValuePairs<String, String>, time: time_t
    ) -> String {
        let priority = toJournal ? "<\(level.priority)>" : ""
        switch format {
        case .text:
            var line = toJournal ? priority : Self.stamp(time) + " \(level.rawValue) "
            line += Self.escaped(message, quotes: false)
            for (key, value) in fields {
                let plain =
                    !value.isEmpty && value.utf8.allSatisfy { $0 > 32 && $0 != 34 && $0 != 61 && $0 < 127 }
                line += " \(key)=" + (plain ? value : "\"" + Self.escaped(value, quotes: true) + "\"")
            }
            return line + "\n"
        case .json:
            var line =
                priority + "{\"time\":\"\(Self.stamp(time))\",\"level\":\"\(level.rawValue)\",\"message\":\""
            line += Self.escaped(message, quotes: true) + "\""
            for (key, value) in fields { line += ",\"\(key)\":\"\(Self.escaped(value, quotes: true))\"" }
            return line + "}\n"
        }
    }

    /// Escapes characters that would end a line or a JSON string.
    private static func escaped(_ text: String, quotes: Bool) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\n": result += "\\n"
            case "\"" where quotes: result += "\\\""
            case "\\" where quotes: result += "\\\\"
            case _ where scalar.value < 32 || scalar.value == 127:
                let hex = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    /// `2025-01-31T12:00:00Z`
    private static func stamp(_ time: time_t) -> String {
        var time = time
        var parts = tm()
        gmtime_r(&time, &parts)
        func two(_ number: Int32) -> String { number < 10 ? "0\(number)" : "\(number)" }
        return "\(parts.tm_year + 1900)-\(two(parts.tm_mon + 1))-\(two(parts.tm_mday))"
            + "T\(two(parts.tm_hour)):\(two(parts.tm_min)):\(two(parts.tm_sec))Z"
    }
}
