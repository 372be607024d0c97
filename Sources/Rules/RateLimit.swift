/// What a rule, or all rules of an owner together, may take. Nil: as much as it likes.
public struct RateLimit: Hashable, Sendable {
    /// From end users to targets, in bytes a second.
    public var bytesIn: UInt64?
    /// From targets to end users, in bytes a second.
    public var bytesOut: UInt64?
    /// New connections or UDP flows a second.
    public var connectionRate: UInt32?
    /// Connections and UDP flows at once.
    public var connections: UInt32?
    /// How much may pass at once after a pause, in bytes; nil: a second's worth. At least 1/100 and at most 60 s of the rate.
    public var burstIn: UInt64?
    /// As `burstIn`, towards end users.
    public var burstOut: UInt64?
    /// How many connections may come at once after a pause; nil: a second's worth.
    public var connectionBurst: UInt32?

    /// Nothing is limited but what is given.
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

    /// Whether it limits nothing.
    public var isUnlimited: Bool {
        bytesIn == nil && bytesOut == nil && connectionRate == nil && connections == nil
    }
}
