/// Traffic of all rules. Counters start at 0 when a rule is added; "in" is from end users to targets.
package struct ServiceReport: Hashable, Sendable {
    /// One report for each rule.
    package var rules: [RuleReport]
    /// One report for each port that examines server names.
    package var listeners: [NameListenerReport]
    /// One report for each owner with limits or a quota.
    package var owners: [OwnerReport]

    /// A report of these objects.
    package init(rules: [RuleReport] = [], listeners: [NameListenerReport] = [], owners: [OwnerReport] = []) {
        self.rules = rules
        self.listeners = listeners
        self.owners = owners
    }
}

/// The effect of limits on an owner's rules.
package struct OwnerReport: Hashable, Sendable {
    /// The owner.
    package var owner: String
    /// The effect of the owner's limits.
    package var limit: LimitReport
    /// Traffic of its rules since they were added, in both directions together, in bytes.
    package var bytes: UInt64
    /// Its quota with the remaining bytes; nil if there is none.
    package var quota: Quota?
    /// The quota to store: `quota`, except when a month has only just begun, by a clock that may be wrong; see
    /// `QuotaMeter.lasting`.
    package var lastingQuota: Quota?

    /// A report about an owner.
    /// - Parameter lastingQuota: nil means the same as `quota`.
    package init(
        owner: String, limit: LimitReport = LimitReport(), bytes: UInt64 = 0, quota: Quota? = nil,
        lastingQuota: Quota? = nil
    ) {
        self.owner = owner
        self.limit = limit
        self.bytes = bytes
        self.quota = quota
        self.lastingQuota = lastingQuota ?? quota
    }
}

/// The effect of limits.
package struct LimitReport: Hashable, Sendable {
    /// Rejections; indices are `RejectReason`'s raw values minus one.
    package var rejects: [UInt64]
    /// Total time that connections were delayed, in microseconds.
    package var throttledIn: UInt64
    /// Like `throttledIn`, towards end users.
    package var throttledOut: UInt64
    /// Open connections and UDP flows, which count towards the maximum number.
    package var connections: UInt32

    /// A report without any effect.
    package init() {
        rejects = Array(repeating: 0, count: RejectReason.allCases.count)
        throttledIn = 0
        throttledOut = 0
        connections = 0
    }

    /// Counts a rejection.
    package mutating func count(_ reason: RejectReason) { rejects[Int(reason.rawValue) - 1] += 1 }
}

/// Why a connection or a flow was rejected. The raw value is the control plane's.
package enum RejectReason: UInt8, Hashable, Sendable, CaseIterable {
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

/// Statistics of a port that examines server names.
package struct NameListenerReport: Hashable, Sendable {
    /// The port.
    package var port: UInt16
    /// Connections with a name that matches no rule.
    package var misses: UInt64
    /// Connections that did not begin with a ClientHello.
    package var parseFailures: UInt64
    /// How many names were found within each of `bounds`; cumulative.
    package var buckets: [UInt64]
    /// Total time spent, in microseconds.
    package var microseconds: UInt64
    /// The number of connections.
    package var count: UInt64

    /// The buckets' upper bounds, in microseconds.
    package static let bounds: [UInt64] = [
        100, 250, 500, 1000, 2500, 5000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000,
        2_000_000,
        3_000_000,
    ]

    /// The report of a port without connections.
    package init(port: UInt16) {
        self.port = port
        misses = 0
        parseFailures = 0
        buckets = Array(repeating: 0, count: Self.bounds.count)
        microseconds = 0
        count = 0
    }

    /// Counts a connection whose name was found, or not, after that time.
    package mutating func count(after microseconds: UInt64) {
        for index in Self.bounds.indices where microseconds <= Self.bounds[index] { buckets[index] += 1 }
        self.microseconds += microseconds
        count += 1
    }
}
