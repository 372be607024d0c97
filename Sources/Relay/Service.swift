import Packet
import Rules

/// A rule that is carried.
struct Service {
    /// What it is; its limit is as it was in the beginning.
    let rule: Rule
    /// The numbers of its ports, in order; none when it is being taken away.
    var ports: [Int]
    /// What it has carried; ports are in `portTraffic`, targets' health is in `order`.
    var report: RuleReport
    /// Of a range: each port's.
    var portTraffic: [Traffic]
    /// What it may take.
    var allowance: Allowance
    /// The order in which its targets are tried, and how they are.
    var order: TargetOrder
    /// The targets' addresses, of those that are no names.
    let literals: [IPAddress?]
    /// Its owner's number; -1 for none.
    var owner: Int32
    /// Connections and flows that it has, open or on the way.
    var members = 0
    /// When targets are probed next, and how many are now.
    var nextProbe = Instant.never
    var probes = 0
    /// It is being taken away.
    var isLeaving = false

    init(_ rule: Rule, ports: [Int], owner: Int, now: Instant) {
        self.rule = rule
        self.ports = ports
        self.owner = Int32(owner)
        allowance = Allowance(rule.limit, at: now)
        order = TargetOrder(rule, at: now)
        report = RuleReport(id: rule.id)
        report.targets = rule.targets.map { TargetReport(target: $0) }
        portTraffic = rule.ports.count > 1 ? Array(repeating: Traffic(), count: rule.ports.count) : []
        literals = rule.targets.map { IPAddress($0.host) }
    }
}
