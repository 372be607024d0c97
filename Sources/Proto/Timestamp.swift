/// A point of wall-clock time that an initiator puts into its init, so that a responder can refuse older ones.
public struct Timestamp: Comparable, Hashable, Sendable {
    /// Whole seconds since 1970.
    public var seconds: UInt64
    /// And nanoseconds, below 10⁹ unless the peer is mad, which harms only its own order.
    public var nanoseconds: UInt32

    /// A point of time.
    public init(seconds: UInt64, nanoseconds: UInt32) {
        self.seconds = seconds
        self.nanoseconds = nanoseconds
    }

    /// Before every other time.
    public static let zero = Timestamp(seconds: 0, nanoseconds: 0)

    /// Whether `a` is the earlier one.
    public static func < (a: Timestamp, b: Timestamp) -> Bool {
        (a.seconds, a.nanoseconds) < (b.seconds, b.nanoseconds)
    }
}
