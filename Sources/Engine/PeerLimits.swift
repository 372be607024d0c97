/// What a server lets a client send and receive, which may change while it is connected.
public struct PeerLimits: Hashable, Sendable {
    /// Maximum rate of packets from the client, in bytes a second; 0: none.
    public var rateUp: UInt64
    /// Maximum rate of packets to the client, in bytes a second; 0: none.
    public var rateDown: UInt64
    /// Whose turn comes first, 0 to 3, when clients want more than the server's processor can carry: those of
    /// a lower priority are served first, and twice as long as those of the next.
    public var priority: UInt8

    /// The last priority.
    public static let lowestPriority: UInt8 = 3

    /// Limits; without any, there are none, and the priority is 1.
    public init(rateUp: UInt64 = 0, rateDown: UInt64 = 0, priority: UInt8 = 1) {
        self.rateUp = rateUp
        self.rateDown = rateDown
        self.priority = priority
    }
}
