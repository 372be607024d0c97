import Glibc

/// A calendar month in UTC, the period of a data cap.
package struct Month: Comparable, Hashable, Sendable, CustomStringConvertible {
    /// Months since January of the year 0.
    private let number: Int

    /// The month of a Unix time in seconds.
    package init(of seconds: UInt64) {
        var time = time_t(clamping: seconds)
        var parts = tm()
        gmtime_r(&time, &parts)
        number = (Int(parts.tm_year) + 1900) * 12 + Int(parts.tm_mon)
    }

    /// Parses `2026-11`; nil if `text` is malformed.
    package init?(_ text: some StringProtocol) {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 2, parts[0].utf8.count == 4, parts[1].utf8.count == 2,
            parts.allSatisfy({ $0.utf8.allSatisfy { (48...57).contains($0) } }),
            let year = UInt16(parts[0]), let month = UInt8(parts[1]), (1...12).contains(month)
        else { return nil }
        number = Int(year) * 12 + Int(month) - 1
    }

    private init(number: Int) { self.number = number }

    /// The following month.
    package var next: Month { Month(number: number + 1) }

    /// `2026-11`
    package var description: String {
        let year = String(number / 12)
        let month = number % 12 + 1
        return String(repeating: "0", count: max(0, 4 - year.count)) + year + (month < 10 ? "-0" : "-")
            + String(month)
    }

    /// Whether `a` is earlier.
    package static func < (a: Month, b: Month) -> Bool { a.number < b.number }
}
