import Packet
import Rules

@testable import Relay

extension Relay {
    /// A relay for which loopback is inside the tunnel.
    static func onLoopback(nameServers: [Endpoint]? = nil) throws -> Relay {
        let networks: [(address: IPAddress, prefix: Int)] = [
            (IPAddress("127.0.0.0")!, 8), (IPAddress("::1")!, 128),
        ]
        return try Relay(reach: Reach(networks: networks, own: []), nameServers: nameServers)
    }

    /// Its report on a rule.
    func report(of id: RuleID) -> RuleReport? { report().rules.first { $0.id == id } }
}

extension Rule {
    /// A rule to ports of loopback.
    static func tcp(_ port: UInt16, to targets: UInt16..., name: String = "web") -> Rule {
        Rule(
            id: .named(name), transport: .tcp, ports: port...port,
            targets: targets.map { RuleTarget(host: "127.0.0.1", port: $0) }, listsTargets: targets.count > 1)
    }

    /// Like `tcp`.
    static func udp(_ port: UInt16, to target: UInt16, name: String = "voice") -> Rule {
        Rule(
            id: .named(name), transport: .udp, ports: port...port,
            targets: [RuleTarget(host: "127.0.0.1", port: target)])
    }
}
