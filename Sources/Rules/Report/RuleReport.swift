/// What a rule has carried.
public struct RuleReport: Hashable, Sendable {
    /// Which.
    public var id: RuleID
    /// All of it.
    public var traffic: Traffic
    /// For a range: each port's that carried something.
    public var ports: [PortReport]
    /// In the order in which they were given.
    public var targets: [TargetReport]
    /// Connections and UDP flows that found no address for a target's name.
    public var failedLookups: UInt64
    /// UDP flows that were not begun as there were too many.
    public var droppedFlows: UInt64
    /// Connections that went to another target than the first.
    public var failovers: UInt64
    /// How often a target went from healthy to failed, or back.
    public var healthChanges: UInt64
    /// Connections that came by the server name itself.
    public var exactNames: UInt64
    /// Connections that came by a wildcard.
    public var wildcardNames: UInt64
    /// Connections that came as no other rule on the port is for them.
    public var fallbacks: UInt64
    /// What its limits did.
    public var limit: LimitReport

    /// The report of a rule that carried nothing.
    public init(id: RuleID) {
        self.id = id
        traffic = Traffic()
        ports = []
        targets = []
        failedLookups = 0
        droppedFlows = 0
        failovers = 0
        healthChanges = 0
        exactNames = 0
        wildcardNames = 0
        fallbacks = 0
        limit = LimitReport()
    }
}

/// Bytes, datagrams and what is open.
public struct Traffic: Hashable, Sendable {
    /// Bytes from end users to targets.
    public var bytesIn: UInt64 = 0
    /// Bytes back.
    public var bytesOut: UInt64 = 0
    /// Datagrams from end users to targets.
    public var datagramsIn: UInt64 = 0
    /// Datagrams back.
    public var datagramsOut: UInt64 = 0
    /// TCP connections that are open.
    public var connections: Int = 0
    /// UDP flows that are open.
    public var flows: Int = 0

    /// Nothing.
    public init() {}

    /// Adds up two figures of different things.
    public static func += (one: inout Traffic, other: Traffic) {
        one.bytesIn += other.bytesIn
        one.bytesOut += other.bytesOut
        one.datagramsIn += other.datagramsIn
        one.datagramsOut += other.datagramsOut
        one.connections += other.connections
        one.flows += other.flows
    }
}

/// What a port of a rule has carried.
public struct PortReport: Hashable, Sendable {
    /// Which.
    public var port: UInt16
    /// All of it.
    public var traffic: Traffic

    /// A report.
    public init(port: UInt16, traffic: Traffic = Traffic()) {
        self.port = port
        self.traffic = traffic
    }
}
