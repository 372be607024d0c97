/// The part of a `SessionStatus` that says what became of packets before they found a path, since the session began.
public struct QueueStatus: Hashable, Sendable, Codable {
    /// Packets that were dropped, as their flow's queue stood (CoDel, RFC 8289).
    public var dropped: UInt64
    /// Packets that were marked instead, as their flow understands marks (RFC 3168).
    public var marked: UInt64

    /// A queue's status.
    public init(dropped: UInt64 = 0, marked: UInt64 = 0) {
        self.dropped = dropped
        self.marked = marked
    }
}
