/// How many bytes have gone over each path in a month, by the path's name.
///
/// As text, a line each: `month 2026-11`, then `NAME BYTES`.
public struct UsageLedger: Equatable, Sendable {
    /// More lines than this are no ledger.
    private static let maximumLines = 1000

    /// The month that is counted.
    public private(set) var month: Month
    private var bytes: [String: UInt64] = [:]

    /// Nothing used in `month`.
    public init(month: Month) { self.month = month }

    /// Reads what `text` gave; nil when it is no such text, or not all of it.
    public init?(_ text: String) {
        guard text.hasSuffix("\n") else { return nil }
        let lines = text.dropLast().split(separator: "\n", omittingEmptySubsequences: false)
        guard lines.count <= Self.maximumLines, lines[0].hasPrefix("month "),
            let month = Month(lines[0].dropFirst(6))
        else { return nil }
        self.month = month
        for line in lines.dropFirst() {
            let words = line.split(separator: " ", omittingEmptySubsequences: false)
            guard words.count == 2, !words[0].isEmpty, words[1].utf8.first != 43,
                let count = UInt64(words[1]),
                bytes.updateValue(count, forKey: String(words[0])) == nil
            else { return nil }
        }
    }

    /// The ledger as text, in the order of the names.
    public var text: String {
        bytes.sorted { $0.key < $1.key }.reduce("month \(month)\n") { $0 + "\($1.key) \($1.value)\n" }
    }

    /// The same as a file holds it.
    public var bytesOfText: [UInt8] { Array(text.utf8) }

    /// What the path has used.
    public func used(by path: String) -> UInt64 { bytes[path] ?? 0 }

    /// What all paths have used.
    public var total: UInt64 { bytes.values.reduce(0) { $0.addingReportingOverflow($1).partialValue } }

    /// Adds what has gone over the path.
    public mutating func add(_ count: UInt64, to path: String) {
        let (sum, overflow) = used(by: path).addingReportingOverflow(count)
        bytes[path] = overflow ? .max : sum
    }

    /// Begins anew when `month` is later than the one that is counted. An earlier one changes nothing: the clock was set
    /// back, and what was used stays used.
    public mutating func turn(to month: Month) {
        if month > self.month { self = UsageLedger(month: month) }
    }
}
