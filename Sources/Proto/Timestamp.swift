/// A wall-clock time in an initiator's init, by which a responder refuses older ones.
public struct Timestamp: Comparable, Hashable, Sendable {
    /// Whole seconds since 1970.
    public var seconds: UInt64
    /// The nanoseconds, below 10⁹ unless the peer is faulty, which affects only its own order.
    public var nanoseconds: UInt32

    /// A time since 1970.
    public init(seconds: UInt64, nanoseconds: UInt32) {
        self.seconds = seconds
        self.nanoseconds = nanoseconds
    }

    /// The earliest time.
    public static let zero = Timestamp(seconds: 0, nanoseconds: 0)

    /// Whether `a` is earlier.
    public static func < (a: Timestamp, b: Timestamp) -> Bool {
        (a.seconds, a.nanoseconds) < (b.seconds, b.nanoseconds)
    }
}
