/// The bytes sent and received over each path in a month, by the path's name.
///
/// As text: a line `month 2026-11`, then lines `NAME BYTES`. If the clock has slipped, other months precede it
/// in the same form until it is known which one is right.
package struct UsageLedger: Equatable, Sendable {
    /// A text with more lines is not a ledger.
    private static let maximumLines = 1000
    /// Maximum number of months kept: beyond it the clock is erratic, and the oldest months say the least.
    private static let maximumMonths = 4
    /// A clock that shows an earlier month has not been set yet.
    package static let earliest = Month("2026-01")!

    /// The month being counted: the clock's.
    package private(set) var month: Month
    /// The usage by the month that the clock showed.
    private var months: [Month: [String: UInt64]] = [:]

    /// A ledger without usage in `month`.
    package init(month: Month) {
        self.month = month
        months[month] = [:]
    }

    /// Parses the output of `text`; nil if it is malformed or incomplete.
    package init?(_ text: String) {
        guard text.hasSuffix("\n") else { return nil }
        let lines = text.dropLast().split(separator: "\n", omittingEmptySubsequences: false)
        guard lines.count <= Self.maximumLines else { return nil }
        var read: [Month: [String: UInt64]] = [:]
        var current: Month?
        for line in lines {
            let words = line.split(separator: " ", omittingEmptySubsequences: false)
            guard words.count == 2, !words[0].isEmpty else { return nil }
            if words[0] == "month", let month = Month(words[1]) {
                guard read.updateValue([:], forKey: month) == nil else { return nil }
                current = month
                continue
            }
            guard let current, words[1].utf8.first != 43, let count = UInt64(words[1]),
                read[current, default: [:]].updateValue(count, forKey: String(words[0])) == nil
            else { return nil }
        }
        guard let current, read.count <= Self.maximumMonths else { return nil }
        month = current
        months = read
    }

    /// The ledger as text: the month being counted comes last, and names are sorted within a month.
    package var text: String {
        let others = months.keys.filter { $0 != month }.sorted()
        return (others + [month]).reduce("") { text, month in
            (months[month] ?? [:]).sorted { $0.key < $1.key }
                .reduce(text + "month \(month)\n") { $0 + "\($1.key) \($1.value)\n" }
        }
    }

    /// The contents of the file.
    package var bytesOfText: [UInt8] { Array(text.utf8) }

    /// The path's usage in the month being counted, and in future months that the clock has shown.
    package func used(by path: String) -> UInt64 {
        months.reduce(0) { $1.key < month ? $0 : Self.sum($0, $1.value[path] ?? 0) }
    }

    /// The usage of all paths.
    package var total: UInt64 {
        months.reduce(0) { sum, entry in
            entry.key < month ? sum : entry.value.values.reduce(sum, Self.sum)
        }
    }

    /// The latest future month with usage; nil if there is none.
    package var ahead: Month? { months.filter { $0.key > month && !$0.value.isEmpty }.keys.max() }

    /// Whether there are months other than the one being counted.
    package var hasOthers: Bool { months.count > 1 }

    /// Adds bytes of a path. If the clock may be behind, they count for the latest month, which may be the
    /// right one.
    package mutating func add(_ count: UInt64, to path: String) {
        let latest = months.keys.max() ?? month
        months[latest, default: [:]][path] = Self.sum(months[latest]?[path] ?? 0, count)
    }

    /// Sets the path's usage to `count`, regardless of earlier counts.
    package mutating func set(_ count: UInt64, of path: String) {
        for key in months.keys where key >= month { months[key]?[path] = nil }
        months[month, default: [:]][path] = count
    }

    /// Starts counting for the month that the clock shows. Usage in other months is kept. A clock that is not
    /// set shows none.
    package mutating func turn(to month: Month) {
        guard month != self.month, month >= Self.earliest || self.month < Self.earliest else { return }
        let before = self.month
        self.month = month
        if months[month] == nil { months[month] = [:] }
        // The month of an unset clock was never real, so its usage moves.
        if before < Self.earliest, let strayed = months.removeValue(forKey: before) {
            months[month, default: [:]].merge(strayed, uniquingKeysWith: Self.sum)
        }
        while months.count > Self.maximumMonths, let oldest = months.keys.min() {
            months.removeValue(forKey: oldest)
        }
    }

    /// Accepts the clock, because it has shown this month for long enough: usage counted for future months
    /// belongs to this one.
    package mutating func settle() {
        for (key, bytes) in months where key > month {
            months[month, default: [:]].merge(bytes, uniquingKeysWith: Self.sum)
            months[key] = nil
        }
    }

    /// Forgets the earlier months.
    package mutating func forgetEarlier() {
        for key in months.keys where key < month { months[key] = nil }
    }

    private static func sum(_ a: UInt64, _ b: UInt64) -> UInt64 {
        let (sum, overflow) = a.addingReportingOverflow(b)
        return overflow ? .max : sum
    }
}
