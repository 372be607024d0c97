import Host
import Packet
import Rules
import Runtime
import Settings

/// Other programs' firewalls in front of a server's own sockets.
struct InputWatch {
    /// The firewalls that drop packets to the server's ports.
    private var findings: [ForeignFirewall.Finding] = []

    /// What keeps clients or callers out, a sentence each.
    var problems: [String] { findings.filter(\.isProblem).map(\.sentence) }
    /// What may be intended.
    var notices: [String] { findings.filter { !$0.isProblem }.map(\.sentence) }

    /// Finds the firewalls that drop packets to the ports in use.
    /// - Parameter services: those that the kernel carries.
    mutating func look(_ configuration: Configuration, services: [KernelService], _ log: Log) {
        let found: [ForeignFirewall.Finding]
        do throws(HostError) {
            found = try ForeignFirewall.blocking(input: Self.portsInUse(configuration, services))
        } catch {
            log(.debug, error.description)
            return
        }
        for finding in found where !findings.contains(finding) { log(.warning, finding.sentence) }
        findings = found
    }

    /// The ports that have to be reachable from outside: bondd's own, and those of rules that bondd-control
    /// carries. Rules carried by the kernel are forwarded and do not pass through the input hook.
    private static func portsInUse(_ configuration: Configuration, _ services: [KernelService]) -> [PortUse] {
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
            let handed = services.filter { $0.name.hasPrefix("file/\(rule.id)@") }.map(\.target.family)
            // Also before bondd-control has handed it over.
            let isForKernel = rule.isForKernel(among: server.rules, in: configuration.tunnel.addresses)
            let carried = handed + (isForKernel ? rule.targets.compactMap { IPAddress($0.host)?.family } : [])
            let families = [IPAddress.Family.v4, .v6].filter { !carried.contains($0) }
            guard !families.isEmpty else { continue }
            uses.append(
                PortUse(
                    rule.transport, rule.ports, families: families,
                    purpose: "where bondd-control serves [[rule]] \(rule.id)",
                    isOptional: !carried.isEmpty))
        }
        return uses
    }
}

extension Rule {
    /// Whether the kernel can carry the rule, by the criteria of `WayReason`, which bondd-control applies.
    fileprivate func isForKernel(among rules: [Rule], in networks: [CIDR]) -> Bool {
        guard targets.count == 1, let address = IPAddress(targets[0].host), targets[0].proxy == nil,
            networks.contains(where: { $0.contains(address) }), probeInterval == 0,
            maximumFlows == nil, flowIdle == nil
        else { return false }
        return limit == RateLimit()
            && !rules.contains {
                $0.serverName != nil && $0.transport == transport && $0.ports.overlaps(ports)
            }
    }
}
