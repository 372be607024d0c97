/// The limits of a rule, or of all rules of an owner together; nil means unlimited.
public struct RateLimit: Hashable, Sendable {
    /// Rate from end users to targets, in bytes per second.
    public var bytesIn: UInt64?
    /// Rate from targets to end users, in bytes per second.
    public var bytesOut: UInt64?
    /// New connections or UDP flows per second.
    public var connectionRate: UInt32?
    /// Concurrent connections and UDP flows.
    public var connections: UInt32?
    /// Burst after a pause, in bytes; nil means a second's worth. At least 1/100 and at most 60 s of the rate.
    public var burstIn: UInt64?
    /// Like `burstIn`, towards end users.
    public var burstOut: UInt64?
    /// Burst of new connections after a pause; nil means a second's worth.
    public var connectionBurst: UInt32?

    /// Limits with these values; by default unlimited.
    public init(
        bytesIn: UInt64? = nil, bytesOut: UInt64? = nil, connectionRate: UInt32? = nil,
        connections: UInt32? = nil, burstIn: UInt64? = nil, burstOut: UInt64? = nil,
        connectionBurst: UInt32? = nil
    ) {
        self.bytesIn = bytesIn
        self.bytesOut = bytesOut
        self.connectionRate = connectionRate
        self.connections = connections
        self.burstIn = burstIn
        self.burstOut = burstOut
        self.connectionBurst = connectionBurst
    }

    /// Whether nothing is limited.
    public var isUnlimited: Bool {
        bytesIn == nil && bytesOut == nil && connectionRate == nil && connections == nil
    }
}
