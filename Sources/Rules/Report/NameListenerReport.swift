/// What a port that looks at server names saw.
public struct NameListenerReport: Hashable, Sendable {
    /// Which.
    public var port: UInt16
    /// Connections with a name that no rule is for.
    public var misses: UInt64
    /// Connections that began with no ClientHello.
    public var parseFailures: UInt64
    /// How many names were known after at most each of `bounds`; cumulative.
    public var buckets: [UInt64]
    /// How long it took, in microseconds, all added up.
    public var microseconds: UInt64
    /// Of how many connections.
    public var count: UInt64

    /// The buckets' upper bounds, in microseconds.
    public static let bounds: [UInt64] = [
        100, 250, 500, 1000, 2500, 5000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000,
        2_000_000,
        3_000_000,
    ]

    /// The report of a port that saw nothing.
    public init(port: UInt16) {
        self.port = port
        misses = 0
        parseFailures = 0
        buckets = Array(repeating: 0, count: Self.bounds.count)
        microseconds = 0
        count = 0
    }

    /// Counts a connection whose name was known, or not, after that time.
    public mutating func count(after microseconds: UInt64) {
        for index in Self.bounds.indices where microseconds <= Self.bounds[index] { buckets[index] += 1 }
        self.microseconds += microseconds
        count += 1
    }
}
