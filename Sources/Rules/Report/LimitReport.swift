/// What limits did.
public struct LimitReport: Hashable, Sendable {
    /// What was turned away; indices are `RejectReason`'s raw values less one.
    public var rejects: [UInt64]
    /// How long connections were held back, in microseconds, all of them added up.
    public var throttledIn: UInt64
    /// As `throttledIn`, towards end users.
    public var throttledOut: UInt64
    /// Connections and UDP flows that are open, which count against the cap on them.
    public var connections: UInt32

    /// Limits that did nothing.
    public init() {
        rejects = Array(repeating: 0, count: RejectReason.allCases.count)
        throttledIn = 0
        throttledOut = 0
        connections = 0
    }

    /// Counts something that was turned away.
    public mutating func count(_ reason: RejectReason) { rejects[Int(reason.rawValue) - 1] += 1 }
}

/// Why a connection or a flow was turned away. The raw value is the control plane's.
public enum RejectReason: UInt8, Hashable, Sendable, CaseIterable {
    /// The rule has as many connections or UDP flows as it may.
    case connections = 1
    /// The rule had as many new ones this second as it may.
    case connectionRate = 2
    /// As `connectionRate`, of UDP flows.
    case flowRate = 3
    /// As `connections`, of the owner.
    case ownerConnections = 4
    /// As `connectionRate`, of the owner.
    case ownerConnectionRate = 5
    /// As `flowRate`, of the owner.
    case ownerFlowRate = 6
}
