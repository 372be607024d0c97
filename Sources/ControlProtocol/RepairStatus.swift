/// Retransmissions and copies in a `SessionStatus`, since the session began.
public struct RepairStatus: Hashable, Sendable, Codable {
    /// Packets retransmitted because their path fell silent or lost them.
    public var resent: UInt64
    /// Packets lost and not retransmitted, because it was too late or exceeded the budget.
    public var unrepaired: UInt64
    /// Small packets sent over two paths at once.
    public var copied: UInt64

    /// Counters of repairs.
    public init(resent: UInt64 = 0, unrepaired: UInt64 = 0, copied: UInt64 = 0) {
        self.resent = resent
        self.unrepaired = unrepaired
        self.copied = copied
    }
}
