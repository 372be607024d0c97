import ControlProtocol
import Packet
import Portunus
import Rules

// Reports about services.
extension ServicePlane {
    /// Traffic of all rules, in the kernel and here; one report for each rule, even if the rule that it
    /// replaced is still open.
    /// - Parameter ofThisRun: whether to leave out what bondd had already counted when this program started,
    ///   which an earlier run has reported to the control plane.
    func wholeReport(ofThisRun: Bool = false) -> ServiceReport {
        var report = relay.report()
        book.withLock { book in
            var rules: [RuleID: RuleReport] = [:]
            for rule in report.rules {
                guard let other = rules[rule.id] else {
                    rules[rule.id] = rule
                    continue
                }
                let isCurrent = book.services[rule.id]?.rule.targets == rule.targets.map(\.target)
                var (kept, leaving) = isCurrent ? (rule, other) : (other, rule)
                kept.traffic += leaving.traffic
                rules[rule.id] = kept
            }
            for (id, service) in book.services where rules[id] != nil {
                let ports = book.meter.ports(
                    of: service.name, service.rule.transport, ofThisRun: ofThisRun)
                rules[id]!.add(ports, of: service.rule)
            }
            report.rules = rules.values.sorted { $0.id.isBefore($1.id) }
        }
        return report
    }

    /// The output of `bondd services`: rules of the file first, by name, then pushed ones, by number, then
    /// those being removed.
    package func status() -> ([ServiceStatus], PlaneStatus) {
        let report = Dictionary(
            wholeReport().rules.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
        return book.withLock { book in
            let namedPorts = book.namedPorts
            let handed = Set((book.kernel.accepted ?? []).filter(\.accepts).map(\.rule))
            var statuses = book.services.values.sorted { $0.rule.id.isBefore($1.rule.id) }.map { service in
                var status = ServiceStatus(service, report[service.rule.id])
                let reason = book.wayReason(of: service.rule, namedPorts)
                let refused = book.kernel.refused[service.name]
                if reason == nil && service.failure == nil && refused == nil && handed.contains(service.name)
                {
                    (status.way, status.wayReason) = ("kernel", nil)
                    for index in status.targets.indices { status.targets[index].isHealthy = nil }
                } else {
                    status.wayReason = reason?.description ?? refused ?? "bondd has not accepted it yet"
                }
                return status
            }
            for service in book.leaving.sorted(by: { $0.rule.id.isBefore($1.rule.id) }) {
                let isReplaced = book.services[service.rule.id] != nil
                var status = ServiceStatus(service, isReplaced ? nil : report[service.rule.id])
                status.state = "draining"
                if service.share != .none { (status.way, status.wayReason) = ("kernel", nil) }
                if !isReplaced {
                    statuses.append(status)
                    continue
                }
                for port in book.meter.ports(of: service.name, service.rule.transport) {
                    status.connections += port.traffic.connections + port.traffic.flows
                    status.bytesIn += port.traffic.bytesIn
                    status.bytesOut += port.traffic.bytesOut
                }
                statuses.append(status)
            }
            return (statuses, book.planeStatus)
        }
    }

    /// Notices about services, one sentence each with what to do; the tunnel is ready regardless.
    package var notices: [String] {
        book.withLock { book in
            var notices: [String] = []
            switch book.plane.state {
            case nil, .unauthorized, .wrongCertificate: notices += book.planeStatus.problem.map { [$0] } ?? []
            default: break
            }
            notices += book.services.values.sorted { $0.rule.id.isBefore($1.rule.id) }.compactMap { service in
                service.failure.map { service.rule.sentence($0) }
            }.prefix(8)
            if !book.kernel.refusal.isEmpty {
                notices.append("the kernel cannot carry some services: \(book.kernel.refusal)")
            }
            return notices
        }
    }
}

extension ServiceStatus {
    /// - Parameter report: the traffic; nil if unknown or none.
    fileprivate init(_ service: Service, _ report: RuleReport?) {
        let rule = service.rule
        let order = rule.targets.indices.sorted {
            (rule.targets[$0].priority, $0) < (rule.targets[$1].priority, $1)
        }
        let targets = order.map { index in
            let target = rule.targets[index]
            let host = IPAddress(target.host)?.family == .v6 ? "[\(target.host)]" : target.host
            let isHealthy = report.flatMap {
                $0.targets.indices.contains(index) ? $0.targets[index].isHealthy : nil
            }
            return ServiceTargetStatus(address: "\(host):\(target.port)", isHealthy: isHealthy)
        }
        let traffic = report?.traffic ?? Traffic()
        self.init(
            rule: "\(rule.id)", source: rule.id.source, transport: rule.transport.word,
            ports: rule.portText,
            serverName: rule.serverName, targets: targets,
            state: service.failure == nil ? "active" : "failed",
            reason: service.failure.map { rule.sentence($0) }, way: "userspace", owner: rule.owner,
            connections: traffic.connections + traffic.flows, bytesIn: traffic.bytesIn,
            bytesOut: traffic.bytesOut)
    }
}

extension RuleReport {
    /// Adds the traffic carried by the kernel.
    fileprivate mutating func add(_ kernel: [PortReport], of rule: Rule) {
        for port in kernel {
            traffic += port.traffic
            if targets.count == 1 {
                targets[0].bytesIn += port.traffic.bytesIn
                targets[0].bytesOut += port.traffic.bytesOut
            }
            guard rule.ports.count > 1, rule.ports.contains(port.port) else { continue }
            if let index = ports.firstIndex(where: { $0.port == port.port }) {
                ports[index].traffic += port.traffic
            } else if port.traffic != Traffic() {
                ports.append(port)
            }
        }
    }
}
