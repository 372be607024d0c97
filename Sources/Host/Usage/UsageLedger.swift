/// How many bytes have gone over each path in a month, by the path's name.
///
/// As text, a line each: `month 2026-11`, then `NAME BYTES`. When the clock has slipped there is another month or more before
/// it in the same form, until it is known which is right.
public struct UsageLedger: Equatable, Sendable {
    /// More lines than this are no ledger.
    private static let maximumLines = 1000
    /// More months than this are not kept: the clock jumps about, and the oldest say the least.
    private static let maximumMonths = 4
    /// A clock that is behind this was not set yet.
    public static let earliest = Month("2026-01")!

    /// The month that is counted: the clock's.
    public private(set) var month: Month
    /// What was used, by the month that the clock showed.
    private var months: [Month: [String: UInt64]] = [:]

    /// Nothing used in `month`.
    public init(month: Month) {
        self.month = month
        months[month] = [:]
    }

    /// Reads what `text` gave; nil when it is no such text, or not all of it.
    public init?(_ text: String) {
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

    /// The ledger as text: the month that is counted last, the names of a month in their order.
    public var text: String {
        let others = months.keys.filter { $0 != month }.sorted()
        return (others + [month]).reduce("") { text, month in
            (months[month] ?? [:]).sorted { $0.key < $1.key }
                .reduce(text + "month \(month)\n") { $0 + "\($1.key) \($1.value)\n" }
        }
    }

    /// The same as a file holds it.
    public var bytesOfText: [UInt8] { Array(text.utf8) }

    /// What the path has used in the month that is counted, and in those that the clock has shown and that are yet to come.
    public func used(by path: String) -> UInt64 {
        months.reduce(0) { $1.key < month ? $0 : Self.sum($0, $1.value[path] ?? 0) }
    }

    /// What all paths have used.
    public var total: UInt64 {
        months.reduce(0) { sum, entry in
            entry.key < month ? sum : entry.value.values.reduce(sum, Self.sum)
        }
    }

    /// The latest month that is yet to come and for which something was counted; nil when there is none.
    public var ahead: Month? { months.filter { $0.key > month && !$0.value.isEmpty }.keys.max() }

    /// Whether there is another month than the one that is counted.
    public var hasOthers: Bool { months.count > 1 }

    /// Adds what has gone over the path. If the clock may be behind, that is to the latest month, which may be the right one.
    public mutating func add(_ count: UInt64, to path: String) {
        let latest = months.keys.max() ?? month
        months[latest, default: [:]][path] = Self.sum(months[latest]?[path] ?? 0, count)
    }

    /// Takes `count` for what the path has used, whatever was counted.
    public mutating func set(_ count: UInt64, of path: String) {
        for key in months.keys where key >= month { months[key]?[path] = nil }
        months[month, default: [:]][path] = count
    }

    /// Counts for the month that the clock shows from now on. What was used in others stays known. A clock that is not set shows
    /// none.
    public mutating func turn(to month: Month) {
        guard month != self.month, month >= Self.earliest || self.month < Self.earliest else { return }
        let before = self.month
        self.month = month
        if months[month] == nil { months[month] = [:] }
        // Nothing was really used in the month of a clock that was not set.
        if before < Self.earliest, let strayed = months.removeValue(forKey: before) {
            months[month, default: [:]].merge(strayed, uniquingKeysWith: Self.sum)
        }
        while months.count > Self.maximumMonths, let oldest = months.keys.min() {
            months.removeValue(forKey: oldest)
        }
    }

    /// The clock is right, because it has shown this month for long enough: what was counted for months that are yet to come was
    /// used in this one.
    public mutating func settle() {
        for (key, bytes) in months where key > month {
            months[month, default: [:]].merge(bytes, uniquingKeysWith: Self.sum)
            months[key] = nil
        }
    }

    /// Forgets the months before this one.
    public mutating func forgetEarlier() {
        for key in months.keys where key < month { months[key] = nil }
    }

    private static func sum(_ a: UInt64, _ b: UInt64) -> UInt64 {
        let (sum, overflow) = a.addingReportingOverflow(b)
        return overflow ? .max : sum
    }
}
