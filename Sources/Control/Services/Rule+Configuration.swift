import Packet
import Rules
import Settings

extension Rule {
    /// A `[[rule]]` of the configuration.
    init(_ rule: Configuration.Rule) {
        let limit = rule.limit
        self.init(
            id: .named(rule.name), transport: rule.transport == .tcp ? .tcp : .udp, ports: rule.ports,
            listenAddress: rule.listenAddress,
            targets: rule.targets.map { target in
                RuleTarget(
                    host: target.host, port: target.port, priority: UInt32(clamping: target.priority),
                    proxy: target.proxyProtocol.flatMap { ProxyVersion(rawValue: UInt8(clamping: $0)) })
            },
            listsTargets: rule.listsTargets, prefersIPv6: rule.preferIPv6, probeInterval: rule.probeInterval,
            serverName: rule.serverName,
            limit: RateLimit(
                bytesIn: limit.bytesIn.map { UInt64(clamping: $0) },
                bytesOut: limit.bytesOut.map { UInt64(clamping: $0) },
                connectionRate: limit.connectionRate.map { UInt32(clamping: $0) },
                connections: limit.connections.map { UInt32(clamping: $0) },
                burstIn: limit.burstIn.map { UInt64(clamping: $0) },
                burstOut: limit.burstOut.map { UInt64(clamping: $0) },
                connectionBurst: limit.connectionBurst.map { UInt32(clamping: $0) }),
            maximumFlows: rule.maximumUDPFlows, flowIdle: rule.udpFlowIdle,
            mayLeaveTunnel: rule.allowsOutside)
    }
}

extension Reach {
    /// The networks inside a server's tunnel.
    init(_ tunnel: Configuration.Tunnel) {
        self.init(
            networks: tunnel.addresses.map { ($0.address, $0.length) }, own: tunnel.addresses.map(\.address),
            interface: tunnel.interface)
    }
}
