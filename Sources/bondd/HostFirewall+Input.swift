import Control
import Packet
import Settings

// Others' firewalls in front of what a server listens on.
extension HostFirewall {
    /// The ports that have to be reached by others: bondd's own, and those that bondd-control carries. What the kernel carries
    /// is forwarded, and does not meet the hook `input`.
    private var portsInUse: [PortUse] {
        guard case .server(let server) = configuration.role else { return [] }
        var uses: [PortUse] = []
        for listen in server.listen where !listen.address.isLoopback {
            let same = uses.firstIndex { $0.ports.lowerBound == listen.port }
            let families = (same.map { uses[$0].families } ?? []) + [listen.address.family]
            let use = PortUse(
                .udp, listen.port...listen.port, families: families,
                purpose: "where clients reach this server")
            if let same { uses[same] = use } else { uses.append(use) }
        }
        for rule in server.rules {
            let carried = services.list.filter { $0.name == "file/\(rule.name)" }.map(\.target.family)
            let families = [IPAddress.Family.v4, .v6].filter { !carried.contains($0) }
            guard !families.isEmpty else { continue }
            uses.append(
                PortUse(
                    rule.transport == .tcp ? .tcp : .udp, rule.ports, families: families,
                    purpose: "where bondd-control serves [[rule]] \(rule.name)"))
        }
        return uses
    }

    /// Looks whose firewalls drop what comes in for them.
    func lookAtInput() {
        let findings: [ForeignFirewall.Finding]
        do throws(ControlError) {
            findings = try ForeignFirewall.blocking(input: portsInUse)
        } catch {
            log(.debug, error.description)
            return
        }
        for finding in findings where !input.contains(finding) { log(.warning, finding.sentence) }
        input = findings
    }
}
