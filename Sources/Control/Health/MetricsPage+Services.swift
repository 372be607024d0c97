import ControlProtocol
import Rules

// Metrics of services. Their counters begin at 0 when bondd-control starts; those of the kernel continue across
// restarts.
extension MetricsPage {
    /// The figures about services.
    struct ServiceFigures: Sendable {
        var services: [ServiceStatus] = []
        var plane = PlaneStatus()
        var report = ServiceReport()
    }

    private static let planeStates = ["off", "connecting", "connected", "unauthorized", "wrong_certificate"]
    private static let rejectReasons: [RejectReason: String] = [
        .connections: "connections", .connectionRate: "connection_rate", .flowRate: "flow_rate",
        .ownerConnections: "owner_connections", .ownerConnectionRate: "owner_connection_rate",
        .ownerFlowRate: "owner_flow_rate",
    ]

    mutating func addServices(_ figures: ServiceFigures) {
        addPlane(figures.plane)
        var info = Metric(
            "rule_info", .gauge, "Always 1; the labels describe the rule and how it is carried.")
        var active = Metric("rule_active", .gauge, "Whether the rule is carried.")
        for service in figures.services where service.state != "draining" {
            info.add(
                1.0,
                [
                    "rule": service.rule, "source": service.source, "protocol": service.transport,
                    "ports": service.ports, "way": service.way,
                ])
            active.add(service.state == "active", ["rule": service.rule])
        }
        add(info)
        add(active)
        let rules = figures.report.rules
        let labelled = rules.map { Labelled($0, ["rule": "\($0.id)"]) }
        each(labelled, "rule_connections", .gauge, "Open TCP connections.") {
            Double($0.traffic.connections)
        }
        each(labelled, "rule_flows", .gauge, "Open UDP flows.") { Double($0.traffic.flows) }
        both(rules, "rule_bytes_total", "Bytes from users to targets (in) and back (out).") {
            (Double($0.traffic.bytesIn), Double($0.traffic.bytesOut))
        }
        both(rules, "rule_datagrams_total", "Datagrams from users to targets (in) and back (out).") {
            (Double($0.traffic.datagramsIn), Double($0.traffic.datagramsOut))
        }
        both(rules, "rule_throttled_seconds_total", "Total time connections were delayed by limits.") {
            (Double($0.limit.throttledIn) / 1e6, Double($0.limit.throttledOut) / 1e6)
        }
        each(
            labelled, "rule_failovers_total", .counter,
            "Connections that went to another target than the first."
        ) {
            Double($0.failovers)
        }
        each(labelled, "rule_dns_failures_total", .counter, "Lookups of targets' names that failed.") {
            Double($0.failedLookups)
        }
        each(labelled, "rule_dropped_flows_total", .counter, "UDP flows refused because there were too many.")
        {
            Double($0.droppedFlows)
        }
        addRejects(rules)
        addNames(rules, figures.report.listeners)
        addTargets(figures)
        addOwners(figures.report.owners)
    }

    private mutating func addPlane(_ plane: PlaneStatus) {
        var connected = Metric("portunus_connected", .gauge, "Whether the control plane is connected.")
        connected.add(plane.state == "connected")
        add(connected)
        var state = Metric(
            "portunus_state", .gauge,
            "1 for the current state of the control plane's connection, 0 for the others.")
        for word in Self.planeStates { state.add(plane.state == word, ["state": word]) }
        add(state)
    }

    private mutating func addRejects(_ rules: [RuleReport]) {
        var rejects = Metric(
            "rule_rejects_total", .counter, "Connections and flows that limits turned away, by reason.")
        for rule in rules {
            for reason in RejectReason.allCases {
                let index = Int(reason.rawValue) - 1
                guard rule.limit.rejects.indices.contains(index) else { continue }
                rejects.add(
                    rule.limit.rejects[index],
                    ["rule": "\(rule.id)", "reason": Self.rejectReasons[reason] ?? "other"])
            }
        }
        add(rejects)
    }

    private mutating func addNames(_ rules: [RuleReport], _ listeners: [NameListenerReport]) {
        var names = Metric(
            "rule_server_names_total", .counter, "Connections by how their server name led to the rule.")
        for rule in rules where rule.exactNames + rule.wildcardNames + rule.fallbacks > 0 {
            names.add(rule.exactNames, ["rule": "\(rule.id)", "match": "exact"])
            names.add(rule.wildcardNames, ["rule": "\(rule.id)", "match": "wildcard"])
            names.add(rule.fallbacks, ["rule": "\(rule.id)", "match": "fallback"])
        }
        add(names)
        let values: [(String, String, (NameListenerReport) -> Double)] = [
            (
                "server_name_misses_total", "Connections with a server name that matches no rule.",
                { Double($0.misses) }
            ),
            (
                "client_hello_failures_total", "Connections that did not begin with a ClientHello.",
                { Double($0.parseFailures) }
            ),
            ("client_hellos_total", "Connections examined for a server name.", { Double($0.count) }),
            (
                "client_hello_seconds_total", "Total time spent examining connections for server names.",
                { Double($0.microseconds) / 1e6 }
            ),
        ]
        for (name, help, value) in values {
            var metric = Metric(name, .counter, help)
            for listener in listeners { metric.add(value(listener), ["port": "\(listener.port)"]) }
            add(metric)
        }
    }

    private mutating func addTargets(_ figures: ServiceFigures) {
        var healthy = Metric("rule_target_healthy", .gauge, "Whether connections try the target first.")
        for service in figures.services where service.state == "active" {
            for target in service.targets {
                guard let isHealthy = target.isHealthy else { continue }
                healthy.add(isHealthy, ["rule": service.rule, "target": target.address])
            }
        }
        add(healthy)
    }

    private mutating func addOwners(_ owners: [OwnerReport]) {
        var bytes = Metric("owner_bytes_total", .counter, "Bytes of an owner's rules, in both directions.")
        var left = Metric(
            "owner_quota_remaining_bytes", .gauge, "Bytes that the owner's rules may still carry.")
        var exhausted = Metric("owner_quota_exhausted", .gauge, "Whether the owner's quota is used up.")
        for owner in owners {
            bytes.add(owner.bytes, ["owner": owner.owner])
            guard let quota = owner.quota else { continue }
            left.add(Double(quota.remaining), ["owner": owner.owner])
            exhausted.add(quota.isExhausted, ["owner": owner.owner])
        }
        for metric in [bytes, left, exhausted] { add(metric) }
    }

    /// A counter with a sample for each direction.
    private mutating func both(
        _ rules: [RuleReport], _ name: String, _ help: String, _ value: (RuleReport) -> (Double, Double)
    ) {
        var metric = Metric(name, .counter, help)
        for rule in rules {
            let (incoming, outgoing) = value(rule)
            metric.add(incoming, ["rule": "\(rule.id)", "direction": "in"])
            metric.add(outgoing, ["rule": "\(rule.id)", "direction": "out"])
        }
        add(metric)
    }
}
