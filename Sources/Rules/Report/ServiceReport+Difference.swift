/// The cumulative counters of one object.
package protocol CumulativeReport: Sendable {
    /// The object's identity across reports.
    associatedtype Key: Hashable & Sendable
    /// The identity of this report's object.
    var key: Key { get }
    /// The counts since `base`; figures about the present, such as open connections, are unchanged.
    func since(_ base: Self) -> Self
    /// Whether a counter is below that of `base`, so that this is a new object with the same name, which counts
    /// from 0.
    func isBelow(_ base: Self) -> Bool
    /// A copy with all counters at 0; figures about the present are unchanged.
    var uncounted: Self { get }
}

extension CumulativeReport {
    /// A copy with all counters at 0; figures about the present are unchanged.
    package var uncounted: Self { since(self) }
}

extension RuleReport: CumulativeReport {
    /// The rule.
    package var key: RuleID { id }

    /// The counts since `base`.
    package func since(_ base: RuleReport) -> RuleReport {
        var report = self
        report.traffic = traffic.since(base.traffic)
        let ports = Dictionary(
            base.ports.map { ($0.port, $0.traffic) }, uniquingKeysWith: { first, _ in first })
        for index in report.ports.indices {
            guard let before = ports[report.ports[index].port] else { continue }
            report.ports[index].traffic = report.ports[index].traffic.since(before)
        }
        for (index, before) in base.targets.enumerated()
        where targets.indices.contains(index) && targets[index].target == before.target {
            report.targets[index].bytesIn -|= before.bytesIn
            report.targets[index].bytesOut -|= before.bytesOut
            report.targets[index].accepted -|= before.accepted
        }
        report.failedLookups -|= base.failedLookups
        report.droppedFlows -|= base.droppedFlows
        report.failovers -|= base.failovers
        report.healthChanges -|= base.healthChanges
        report.exactNames -|= base.exactNames
        report.wildcardNames -|= base.wildcardNames
        report.fallbacks -|= base.fallbacks
        report.limit = limit.since(base.limit)
        return report
    }

    /// Whether this is another rule than `base`.
    package func isBelow(_ base: RuleReport) -> Bool {
        traffic.bytesIn < base.traffic.bytesIn || traffic.bytesOut < base.traffic.bytesOut
            || traffic.datagramsIn < base.traffic.datagramsIn
            || traffic.datagramsOut < base.traffic.datagramsOut
            || failedLookups < base.failedLookups || droppedFlows < base.droppedFlows
            || healthChanges < base.healthChanges || exactNames < base.exactNames
            || wildcardNames < base.wildcardNames || fallbacks < base.fallbacks || limit.isBelow(base.limit)
    }
}

extension NameListenerReport: CumulativeReport {
    /// The port.
    package var key: UInt16 { port }

    /// The counts since `base`.
    package func since(_ base: NameListenerReport) -> NameListenerReport {
        var report = self
        report.misses -|= base.misses
        report.parseFailures -|= base.parseFailures
        for (index, before) in zip(buckets.indices, base.buckets) { report.buckets[index] -|= before }
        report.microseconds -|= base.microseconds
        report.count -|= base.count
        return report
    }

    /// Whether the port was closed since `base`, and opened again.
    package func isBelow(_ base: NameListenerReport) -> Bool {
        count < base.count || misses < base.misses || parseFailures < base.parseFailures
    }
}

extension OwnerReport: CumulativeReport {
    /// The owner.
    package var key: String { owner }

    /// The counts since `base`.
    package func since(_ base: OwnerReport) -> OwnerReport {
        var report = self
        report.limit = limit.since(base.limit)
        report.bytes -|= base.bytes
        return report
    }

    /// Whether the owner was removed since `base`.
    package func isBelow(_ base: OwnerReport) -> Bool { bytes < base.bytes || limit.isBelow(base.limit) }
}

extension Traffic {
    fileprivate func since(_ base: Traffic) -> Traffic {
        var traffic = self
        traffic.bytesIn -|= base.bytesIn
        traffic.bytesOut -|= base.bytesOut
        traffic.datagramsIn -|= base.datagramsIn
        traffic.datagramsOut -|= base.datagramsOut
        return traffic
    }
}

extension LimitReport {
    fileprivate func since(_ base: LimitReport) -> LimitReport {
        var report = self
        for (index, before) in zip(rejects.indices, base.rejects) { report.rejects[index] -|= before }
        report.throttledIn -|= base.throttledIn
        report.throttledOut -|= base.throttledOut
        return report
    }

    fileprivate func isBelow(_ base: LimitReport) -> Bool {
        zip(rejects, base.rejects).contains { $0 < $1 } || throttledIn < base.throttledIn
            || throttledOut < base.throttledOut
    }
}

infix operator -|= : AssignmentPrecedence

/// Subtracts, down to 0.
private func -|= (one: inout UInt64, other: UInt64) { one = one > other ? one - other : 0 }
