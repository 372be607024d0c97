/// Traffic of a rule.
package struct RuleReport: Hashable, Sendable {
    /// The rule.
    package var id: RuleID
    /// The total traffic.
    package var traffic: Traffic
    /// For a range, the traffic of each port that carried any.
    package var ports: [PortReport]
    /// The targets, in the order in which they were given.
    package var targets: [TargetReport]
    /// Connections and UDP flows that failed because a target's name did not resolve.
    package var failedLookups: UInt64
    /// UDP flows that were refused because there were too many.
    package var droppedFlows: UInt64
    /// Connections to another target than the first.
    package var failovers: UInt64
    /// The number of changes of a target between healthy and failed.
    package var healthChanges: UInt64
    /// Connections that matched by the server name itself.
    package var exactNames: UInt64
    /// Connections that matched by a wildcard.
    package var wildcardNames: UInt64
    /// Connections that no other rule on the port matched.
    package var fallbacks: UInt64
    /// The effect of its limits.
    package var limit: LimitReport

    /// The report of a rule without traffic.
    package init(id: RuleID) {
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
package struct Traffic: Hashable, Sendable {
    /// Bytes from end users to targets.
    package var bytesIn: UInt64 = 0
    /// Bytes from targets to end users.
    package var bytesOut: UInt64 = 0
    /// Datagrams from end users to targets.
    package var datagramsIn: UInt64 = 0
    /// Datagrams from targets to end users.
    package var datagramsOut: UInt64 = 0
    /// Open TCP connections.
    package var connections: Int = 0
    /// Open UDP flows.
    package var flows: Int = 0

    /// No traffic.
    package init() {}

    /// Adds the figures of another object.
    package static func += (one: inout Traffic, other: Traffic) {
        one.bytesIn += other.bytesIn
        one.bytesOut += other.bytesOut
        one.datagramsIn += other.datagramsIn
        one.datagramsOut += other.datagramsOut
        one.connections += other.connections
        one.flows += other.flows
    }
}

/// Traffic of a rule's port.
package struct PortReport: Hashable, Sendable {
    /// The port.
    package var port: UInt16
    /// The total traffic.
    package var traffic: Traffic

    /// The traffic of a port.
    package init(port: UInt16, traffic: Traffic = Traffic()) {
        self.port = port
        self.traffic = traffic
    }
}

/// Health and traffic of a rule's target.
package struct TargetReport: Hashable, Sendable {
    /// The target.
    package var target: RuleTarget
    /// Whether the target is considered healthy, so that connections try it first.
    package var isHealthy: Bool
    /// The number of failures since the last success.
    package var consecutiveFailures: UInt32
    /// When it last failed, as Unix time in milliseconds; 0 if never.
    package var lastFailure: UInt64
    /// When it last worked, as Unix time in milliseconds; 0 if never.
    package var lastSuccess: UInt64
    /// Bytes from end users to it.
    package var bytesIn: UInt64
    /// Bytes from it to end users.
    package var bytesOut: UInt64
    /// Connections that it accepted.
    package var accepted: UInt64

    /// The report of a target without traffic.
    package init(target: RuleTarget) {
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
