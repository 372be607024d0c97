/// The part of a `SessionStatus` that says what was sent more than once, since the session began.
public struct RepairStatus: Hashable, Sendable, Codable {
    /// Packets sent again, as their path fell silent or lost them.
    public var resent: UInt64
    /// Packets that were lost and not sent again, as it was too late or too much.
    public var unrepaired: UInt64
    /// Small packets that went by two paths at once.
    public var copied: UInt64

    /// A session's repairs.
    public init(resent: UInt64 = 0, unrepaired: UInt64 = 0, copied: UInt64 = 0) {
        self.resent = resent
        self.unrepaired = unrepaired
        self.copied = copied
    }
}
