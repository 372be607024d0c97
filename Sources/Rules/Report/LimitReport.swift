/// The effect of limits.
public struct LimitReport: Hashable, Sendable {
    /// Rejections; indices are `RejectReason`'s raw values minus one.
    public var rejects: [UInt64]
    /// Total time that connections were delayed, in microseconds.
    public var throttledIn: UInt64
    /// Like `throttledIn`, towards end users.
    public var throttledOut: UInt64
    /// Open connections and UDP flows, which count towards the maximum number.
    public var connections: UInt32

    /// A report without any effect.
    public init() {
        rejects = Array(repeating: 0, count: RejectReason.allCases.count)
        throttledIn = 0
        throttledOut = 0
        connections = 0
    }

    /// Counts a rejection.
    public mutating func count(_ reason: RejectReason) { rejects[Int(reason.rawValue) - 1] += 1 }
}

/// Why a connection or a flow was rejected. The raw value is the control plane's.
public enum RejectReason: UInt8, Hashable, Sendable, CaseIterable {
    /// The rule has reached its maximum number of connections or UDP flows.
    case connections = 1
    /// The rule has reached its rate of new connections.
    case connectionRate = 2
    /// The rule has reached its rate of new UDP flows.
    case flowRate = 3
    /// The owner has reached the maximum number of connections or UDP flows.
    case ownerConnections = 4
    /// The owner has reached the rate of new connections.
    case ownerConnectionRate = 5
    /// The owner has reached the rate of new UDP flows.
    case ownerFlowRate = 6
}
