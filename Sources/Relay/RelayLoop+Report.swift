import Glibc
import Packet
import Rules

extension RelayLoop {
    /// The traffic so far.
    mutating func report() -> ServiceReport {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        let milliseconds = Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
        var result = ServiceReport()
        for index in 0..<services.end where services.contains(index) {
            // A rule that is being removed is left out if another one already uses its ID.
            if services[index].pointee.isLeaving && serviceNumbers[services[index].pointee.rule.id] != nil {
                continue
            }
            result.rules.append(report(of: index, at: milliseconds))
        }
        for index in 0..<ports.end where ports.contains(index) && ports[index].pointee.routes.hasNames {
            result.listeners.append(ports[index].pointee.names)
        }
        for index in 0..<owners.end where owners.contains(index) {
            let owner = owners[index]
            guard let allowance = owner.pointee.allowance,
                !allowance.limit.isUnlimited || owner.pointee.meter != nil
            else { continue }
            result.owners.append(
                OwnerReport(
                    owner: owner.pointee.name, limit: allowance.report, bytes: owner.pointee.bytes,
                    quota: owner.pointee.meter?.quota(at: wallSeconds),
                    lastingQuota: owner.pointee.meter?.lasting(at: wallSeconds, now: now)))
        }
        return result
    }

    private func report(of index: Int, at milliseconds: Int64) -> RuleReport {
        let service = services[index]
        var report = service.pointee.report
        report.healthChanges = service.pointee.order.healthChanges
        report.limit = service.pointee.allowance.report
        for (offset, traffic) in service.pointee.portTraffic.enumerated() where traffic != Traffic() {
            let port = service.pointee.rule.ports.lowerBound + UInt16(offset)
            report.ports.append(PortReport(port: port, traffic: traffic))
        }
        for (target, health) in service.pointee.order.health.enumerated() {
            report.targets[target].isHealthy = health.isHealthy
            report.targets[target].consecutiveFailures = health.consecutiveFailures
            report.targets[target].lastFailure = unixTime(of: health.lastFailure, at: milliseconds)
            report.targets[target].lastSuccess = unixTime(of: health.lastSuccess, at: milliseconds)
        }
        return report
    }

    /// An instant as Unix time in milliseconds.
    private func unixTime(of instant: Instant?, at milliseconds: Int64) -> UInt64 {
        guard let instant else { return 0 }
        return UInt64(max(0, milliseconds - (now - instant).nanoseconds / 1_000_000))
    }
}
