/// A time as a user writes it: `90s`, `30m`, `24h`, `7d`, or seconds without a letter.
struct Lifetime: Equatable {
    let seconds: Int

    /// Nil when `text` is none.
    init?(_ text: String) {
        let units: [Character: Int] = ["s": 1, "m": 60, "h": 3600, "d": 86400]
        guard let last = text.last else { return nil }
        let unit = units[last]
        let digits = unit == nil ? text[...] : text.dropLast()
        guard (1...9).contains(digits.utf8.count), digits.utf8.allSatisfy({ (48...57).contains($0) }),
            let number = Int(digits)
        else { return nil }
        seconds = number * (unit ?? 1)
    }
}
