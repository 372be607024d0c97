/// A lifetime as people write it: `90s`, `30m`, `24h`, `7d`; from a minute to a year.
package struct Lifetime: Equatable, Sendable, CustomStringConvertible {
    /// The lifetime in seconds.
    package let seconds: Int

    /// 24 hours.
    package static let day = Lifetime(seconds: 86400)

    private static let units: [Character: Int] = ["s": 1, "m": 60, "h": 3600, "d": 86400]

    private init(seconds: Int) { self.seconds = seconds }

    /// Parses `text`; nil if it is malformed or out of range.
    package init?(_ text: String) {
        guard let unit = text.last.flatMap({ Self.units[$0] }), (2...9).contains(text.utf8.count),
            text.utf8.dropLast().allSatisfy({ (48...57).contains($0) }), let count = Int(text.dropLast()),
            (60...31_536_000).contains(count * unit)
        else { return nil }
        seconds = count * unit
    }

    /// The lifetime in the largest unit that divides it.
    package var description: String {
        for (unit, size) in [("d", 86400), ("h", 3600), ("m", 60)] where seconds % size == 0 && seconds > size
        {
            return "\(seconds / size)\(unit)"
        }
        return "\(seconds)s"
    }
}
