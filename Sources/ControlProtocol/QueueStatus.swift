/// The queue before the paths in a `SessionStatus`, since the session began.
public struct QueueStatus: Hashable, Sendable, Codable {
    /// Packets dropped because their flow's queue persisted (CoDel, RFC 8289).
    public var dropped: UInt64
    /// Packets marked instead, because their flow supports ECN (RFC 3168).
    public var marked: UInt64

    /// Counters of drops and marks.
    public init(dropped: UInt64 = 0, marked: UInt64 = 0) {
        self.dropped = dropped
        self.marked = marked
    }
}
