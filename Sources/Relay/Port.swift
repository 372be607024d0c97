import Packet
import Rules

/// The identity of a port.
struct PortKey: Hashable {
    let transport: TransportProtocol
    let number: UInt16
    /// The only address of this host to listen on; nil means all of them.
    let address: IPAddress?
}

/// A port that the relay listens on.
struct Port {
    let key: PortKey
    /// The numbers of its sockets.
    var listeners: [Int] = []
    /// Families in which another program has the port on loopback, so that every other address of this host
    /// gets its own socket.
    var shared: [IPAddress.Family] = []
    /// The rules selected by server name.
    var routes = NameRoutes()
    /// The number of the rule selected without server names; -1 for none.
    var plain: Int32 = -1
    /// Whether it belongs to a rule with a range of ports.
    var isOfRange = false
    /// The number of UDP flows whose replies leave through its sockets.
    var flows = 0
    /// Statistics of server name matching.
    var names: NameListenerReport

    var number: UInt16 { key.number }
    var transport: TransportProtocol { key.transport }

    init(_ key: PortKey) {
        self.key = key
        names = NameListenerReport(port: key.number)
    }
}

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
