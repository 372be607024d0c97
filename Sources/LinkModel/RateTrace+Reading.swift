extension RateTrace {
    /// The longest recording accepted: an hour of Mahimahi's milliseconds, a day of seconds.
    private static let (longestRecording, mostSeconds) = (3_600_000, 86_400)
    /// Bytes per Mahimahi opportunity.
    private static let opportunity = 1500

    /// Reads a Mahimahi file: one line per opportunity to deliver 1500 bytes, with the millisecond at which
    /// it occurs, in order. The last line's millisecond is the length of the recording.
    ///
    /// Throws `badLine` or `empty`.
    public init(mahimahi text: String) throws(TraceError) {
        var times: [UInt32] = []
        for (number, line) in Self.lines(of: text) {
            guard let time = Int(line), (0...Self.longestRecording).contains(time) else {
                throw .badLine(
                    number, reason: "an opportunity is a whole number of milliseconds of at most an hour")
            }
            guard time >= times.last ?? 0 else {
                throw .badLine(number, reason: "opportunities stand in order of time")
            }
            times.append(UInt32(time))
        }
        guard let last = times.last, last > 0 else { throw .empty }
        // An opportunity at the last millisecond is the next period's first.
        let inside = times.filter { $0 < last }
        let wrapped = [UInt32](repeating: 0, count: times.count - inside.count)
        self.init(opportunities: wrapped + inside, bytes: Self.opportunity, period: last)
    }

    /// Reads a column of a CSV file whose first line names the columns and whose other lines stand for one
    /// second each, in Mbit/s.
    ///
    /// Throws `badLine`, `noColumn` or `empty`.
    public init(csv text: String, column: String) throws(TraceError) {
        var lines = Self.lines(of: text).makeIterator()
        guard let heading = lines.next() else { throw .empty }
        let names = Self.cells(of: heading.text)
        guard let index = names.firstIndex(of: column) else {
            throw .noColumn(column, names: names.filter { $0 != "second" })
        }
        var rates: [UInt64] = []
        while let (number, line) = lines.next() {
            let cells = Self.cells(of: line)
            guard index < cells.count, let rate = Double(cells[index]), (0...5000).contains(rate) else {
                throw .badLine(number, reason: "column '\(column)' has no rate in Mbit/s between 0 and 5000")
            }
            guard rates.count < Self.mostSeconds else {
                throw .badLine(number, reason: "a recording has at most \(Self.mostSeconds) seconds")
            }
            rates.append(UInt64((rate * 1e6).rounded()))
        }
        guard rates.contains(where: { $0 > 0 }) else { throw .empty }
        self.init(rates: rates)
    }

    /// The names of a CSV file's columns, except `second`.
    public static func columns(ofCSV text: String) -> [String] {
        lines(of: text).first.map { cells(of: $0.text).filter { $0 != "second" } } ?? []
    }

    /// The non-empty lines, with their numbers from 1.
    private static func lines(of text: String) -> [(number: Int, text: Substring)] {
        text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).enumerated()
            .map { ($0.offset + 1, $0.element) }.filter { !$0.text.isEmpty }
    }

    private static func cells(of line: Substring) -> [String] {
        line.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
    }
}

/// Why a recording cannot be played. Each case's `description` is phrased as the rest of a sentence.
public enum TraceError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The number of a line, from 1, and why it is invalid.
    case badLine(Int, reason: String)
    /// The recording has no column with this name; the columns it has.
    case noColumn(String, names: [String])
    /// The recording has no capacity at any time.
    case empty

    /// The reason, without the file's name.
    public var description: String {
        switch self {
        case .badLine(let number, let reason): "line \(number): \(reason)"
        case .noColumn(let name, let names):
            "there is no column '\(name)'; there are \(names.joined(separator: ", "))"
        case .empty: "it has no capacity at any time"
        }
    }
}
