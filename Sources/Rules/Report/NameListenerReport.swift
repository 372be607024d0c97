/// Statistics of a port that examines server names.
public struct NameListenerReport: Hashable, Sendable {
    /// The port.
    public var port: UInt16
    /// Connections with a name that matches no rule.
    public var misses: UInt64
    /// Connections that did not begin with a ClientHello.
    public var parseFailures: UInt64
    /// How many names were found within each of `bounds`; cumulative.
    public var buckets: [UInt64]
    /// Total time spent, in microseconds.
    public var microseconds: UInt64
    /// The number of connections.
    public var count: UInt64

    /// The buckets' upper bounds, in microseconds.
    public static let bounds: [UInt64] = [
        100, 250, 500, 1000, 2500, 5000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000,
        2_000_000,
        3_000_000,
    ]

    /// The report of a port without connections.
    public init(port: UInt16) {
        self.port = port
        misses = 0
        parseFailures = 0
        buckets = Array(repeating: 0, count: Self.bounds.count)
        microseconds = 0
        count = 0
    }

    /// Counts a connection whose name was found, or not, after that time.
    public mutating func count(after microseconds: UInt64) {
        for index in Self.bounds.indices where microseconds <= Self.bounds[index] { buckets[index] += 1 }
        self.microseconds += microseconds
        count += 1
    }
}
