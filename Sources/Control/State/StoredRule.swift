import Packet
import Rules

/// A pushed rule as stored in the state's file, with all its properties.
struct StoredRule: Codable {
    private var transport: String
    private var ports: [UInt16]
    private var targets: [Target]
    private var listsTargets: Bool
    private var prefersIPv6: Bool
    private var probeInterval: Int
    private var serverName: String?
    private var limit: StoredLimit
    private var owner: String?

    private struct Target: Codable {
        var host: String
        var port: UInt16
        var priority: UInt32
        var proxy: UInt8?
    }

    init(_ rule: Rule) {
        transport = rule.transport.word
        ports = [rule.ports.lowerBound, rule.ports.upperBound]
        targets = rule.targets.map {
            Target(host: $0.host, port: $0.port, priority: $0.priority, proxy: $0.proxy?.rawValue)
        }
        listsTargets = rule.listsTargets
        prefersIPv6 = rule.prefersIPv6
        probeInterval = rule.probeInterval
        serverName = rule.serverName
        limit = StoredLimit(rule.limit)
        owner = rule.owner
    }

    /// The rule with that number; nil if the stored values are invalid.
    func rule(_ number: UInt64) -> Rule? {
        guard let transport = TransportProtocol(word: transport), ports.count == 2, ports[0] <= ports[1],
            !targets.isEmpty
        else { return nil }
        return Rule(
            id: .pushed(number), transport: transport, ports: ports[0]...ports[1],
            targets: targets.map {
                RuleTarget(
                    host: $0.host, port: $0.port, priority: $0.priority,
                    proxy: $0.proxy.flatMap { ProxyVersion(rawValue: $0) })
            },
            listsTargets: listsTargets, prefersIPv6: prefersIPv6, probeInterval: probeInterval,
            serverName: serverName, limit: limit.limit, owner: owner)
    }
}

/// A limit as stored in the state's file.
struct StoredLimit: Codable {
    private var bytesIn: UInt64?
    private var bytesOut: UInt64?
    private var connectionRate: UInt32?
    private var connections: UInt32?
    private var burstIn: UInt64?
    private var burstOut: UInt64?
    private var connectionBurst: UInt32?

    init(_ limit: RateLimit) {
        (bytesIn, bytesOut) = (limit.bytesIn, limit.bytesOut)
        (connectionRate, connections) = (limit.connectionRate, limit.connections)
        (burstIn, burstOut, connectionBurst) = (limit.burstIn, limit.burstOut, limit.connectionBurst)
    }

    var limit: RateLimit {
        RateLimit(
            bytesIn: bytesIn, bytesOut: bytesOut, connectionRate: connectionRate, connections: connections,
            burstIn: burstIn, burstOut: burstOut, connectionBurst: connectionBurst)
    }
}
