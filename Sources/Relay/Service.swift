import Packet
import Rules

/// A rule that is being carried.
struct Service {
    /// The rule, with its original limit.
    let rule: Rule
    /// The numbers of its ports, in order; empty while it is being removed.
    var ports: [Int]
    /// Its traffic; that of its ports is in `portTraffic`, the health of its targets in `order`.
    var report: RuleReport
    /// For a range, the traffic of each port.
    var portTraffic: [Traffic]
    /// Its current limits.
    var allowance: Allowance
    /// The order in which its targets are tried, and their health.
    var order: TargetOrder
    /// The addresses of targets that are not names.
    let literals: [IPAddress?]
    /// Its owner's number; -1 for none.
    var owner: Int32
    /// The number of its connections and flows, established or in progress.
    var members = 0
    /// When targets are probed next, and how many probes are running.
    var nextProbe = Instant.never
    var probes = 0
    /// Whether it is being removed.
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
