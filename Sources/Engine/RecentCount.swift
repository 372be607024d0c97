import Packet

/// How often an event occurred in the last minute or so, in a fixed amount of memory: counts for the current
/// step of ten seconds and the six before it.
struct RecentCount: Sendable {
    /// Length of a step in nanoseconds.
    private static let step: UInt64 = 10_000_000_000
    private static let steps: UInt64 = 7

    private var counts = SIMD8<UInt32>()
    /// The newest step with a count, numbered from the clock's zero.
    private var newest: UInt64 = 0

    /// Counts an event that occurred now.
    mutating func note(_ now: Instant) {
        let number = now.nanoseconds / Self.step
        if number > newest {
            // The event did not occur in the steps between.
            for silent in max(newest + 1, Self.oldest(at: number))...number { counts[Self.slot(silent)] = 0 }
            newest = number
        }
        counts[Self.slot(newest)] &+= 1
    }

    /// How often the event occurred in the last 60 to 70 s.
    func count(_ now: Instant) -> Int {
        let oldest = Self.oldest(at: now.nanoseconds / Self.step)
        guard newest >= oldest else { return 0 }
        return (max(oldest, Self.oldest(at: newest))...newest).reduce(0) { $0 + Int(counts[Self.slot($1)]) }
    }

    private static func oldest(at number: UInt64) -> UInt64 { number < steps ? 0 : number - steps + 1 }

    private static func slot(_ number: UInt64) -> Int { Int(number % steps) }
}
