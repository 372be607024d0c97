/// Traffic of a rule.
public struct RuleReport: Hashable, Sendable {
    /// The rule.
    public var id: RuleID
    /// The total traffic.
    public var traffic: Traffic
    /// For a range, the traffic of each port that carried any.
    public var ports: [PortReport]
    /// The targets, in the order in which they were given.
    public var targets: [TargetReport]
    /// Connections and UDP flows that failed because a target's name did not resolve.
    public var failedLookups: UInt64
    /// UDP flows that were refused because there were too many.
    public var droppedFlows: UInt64
    /// Connections to another target than the first.
    public var failovers: UInt64
    /// The number of changes of a target between healthy and failed.
    public var healthChanges: UInt64
    /// Connections that matched by the server name itself.
    public var exactNames: UInt64
    /// Connections that matched by a wildcard.
    public var wildcardNames: UInt64
    /// Connections that no other rule on the port matched.
    public var fallbacks: UInt64
    /// The effect of its limits.
    public var limit: LimitReport

    /// The report of a rule without traffic.
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

/// Bytes, datagrams and open connections.
public struct Traffic: Hashable, Sendable {
    /// Bytes from end users to targets.
    public var bytesIn: UInt64 = 0
    /// Bytes from targets to end users.
    public var bytesOut: UInt64 = 0
    /// Datagrams from end users to targets.
    public var datagramsIn: UInt64 = 0
    /// Datagrams from targets to end users.
    public var datagramsOut: UInt64 = 0
    /// Open TCP connections.
    public var connections: Int = 0
    /// Open UDP flows.
    public var flows: Int = 0

    /// No traffic.
    public init() {}

    /// Adds the figures of another object.
    public static func += (one: inout Traffic, other: Traffic) {
        one.bytesIn += other.bytesIn
        one.bytesOut += other.bytesOut
        one.datagramsIn += other.datagramsIn
        one.datagramsOut += other.datagramsOut
        one.connections += other.connections
        one.flows += other.flows
    }
}

/// Traffic of a rule's port.
public struct PortReport: Hashable, Sendable {
    /// The port.
    public var port: UInt16
    /// The total traffic.
    public var traffic: Traffic

    /// The traffic of a port.
    public init(port: UInt16, traffic: Traffic = Traffic()) {
        self.port = port
        self.traffic = traffic
    }
}

/// Health and traffic of a rule's target.
public struct TargetReport: Hashable, Sendable {
    /// The target.
    public var target: RuleTarget
    /// Whether the target is considered healthy, so that connections try it first.
    public var isHealthy: Bool
    /// The number of failures since the last success.
    public var consecutiveFailures: UInt32
    /// When it last failed, as Unix time in milliseconds; 0 if never.
    public var lastFailure: UInt64
    /// When it last worked, as Unix time in milliseconds; 0 if never.
    public var lastSuccess: UInt64
    /// Bytes from end users to it.
    public var bytesIn: UInt64
    /// Bytes from it to end users.
    public var bytesOut: UInt64
    /// Connections that it accepted.
    public var accepted: UInt64

    /// The report of a target without traffic.
    public init(target: RuleTarget) {
        self.target = target
        isHealthy = true
        consecutiveFailures = 0
        lastFailure = 0
        lastSuccess = 0
        bytesIn = 0
        bytesOut = 0
        accepted = 0
    }
}
