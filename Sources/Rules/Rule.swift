import Packet

/// A published service behind the tunnel: ports of this host, and their targets.
package struct Rule: Hashable, Sendable {
    /// The rule's identifier, unique among the rules.
    package var id: RuleID
    /// The transport protocol.
    package var transport: TransportProtocol
    /// The ports it listens on; at most `maximumPorts`.
    package var ports: ClosedRange<UInt16>
    /// The address of this host it listens on; nil means all of them.
    package var listenAddress: IPAddress?
    /// 1 to `maximumTargets` targets; more than one only with a single port.
    package var targets: [RuleTarget]
    /// Whether the targets were given as a list, so that each is reported.
    package var listsTargets: Bool
    /// Whether target names are preferably resolved to IPv6.
    package var prefersIPv6: Bool
    /// Interval between probes of the targets in seconds; 0 means never.
    package var probeInterval: Int
    /// The server names (TLS SNI) it accepts: `host.example` or `*.example`; nil means all, or those that no
    /// other rule on the port accepts.
    package var serverName: String?
    /// Limits on the rule's traffic.
    package var limit: RateLimit
    /// The owner; rules of one owner share the owner's limits and quota.
    package var owner: String?
    /// Maximum number of concurrent UDP flows; nil means the control plane's value, or else 1024.
    package var maximumFlows: Int?
    /// Idle timeout of a UDP flow in seconds; nil means the control plane's value, or else 60.
    package var flowIdle: Int?
    /// Whether its targets may be outside the tunnel.
    package var mayLeaveTunnel: Bool

    /// Maximum number of ports in a range. A control plane may permit more than its default of 1024; each takes
    /// two sockets here, and this many can be opened within the time that it waits for an answer.
    package static let maximumPorts = 8192
    /// Maximum number of ports in a range carried by the kernel, which counts each port's traffic.
    package static let maximumKernelPorts = 1024
    /// Maximum number of targets.
    package static let maximumTargets = 8

    /// A rule with default options and without limits.
    package init(
        id: RuleID, transport: TransportProtocol, ports: ClosedRange<UInt16>, listenAddress: IPAddress? = nil,
        targets: [RuleTarget],
        listsTargets: Bool = false, prefersIPv6: Bool = false, probeInterval: Int = 0,
        serverName: String? = nil,
        limit: RateLimit = RateLimit(), owner: String? = nil, maximumFlows: Int? = nil, flowIdle: Int? = nil,
        mayLeaveTunnel: Bool = false
    ) {
        self.id = id
        self.transport = transport
        self.ports = ports
        self.listenAddress = listenAddress
        self.targets = targets
        self.listsTargets = listsTargets
        self.prefersIPv6 = prefersIPv6
        self.probeInterval = probeInterval
        self.serverName = serverName
        self.limit = limit
        self.owner = owner
        self.maximumFlows = maximumFlows
        self.flowIdle = flowIdle
        self.mayLeaveTunnel = mayLeaveTunnel
    }
}

/// The identifier of a rule.
package enum RuleID: Hashable, Sendable, CustomStringConvertible {
    /// The control plane's number.
    case pushed(UInt64)
    /// The name of a `[[rule]]` of the configuration.
    case named(String)

    /// The number or the name; the name of a `[[rule]]` is never just a number.
    package var description: String {
        switch self {
        case .pushed(let number): "\(number)"
        case .named(let name): name
        }
    }
}

/// A target of a rule.
package struct RuleTarget: Hashable, Sendable {
    /// An IP address or a DNS name, without brackets.
    package var host: String
    /// The port for the rule's first port; the others of a range follow at the same offset.
    package var port: UInt16
    /// Targets with lower values are tried first, those with equal values in order.
    package var priority: UInt32
    /// The version of the PROXY header that precedes TCP connections to it; nil means no header.
    package var proxy: ProxyVersion?

    /// A target with these values.
    package init(host: String, port: UInt16, priority: UInt32 = 0, proxy: ProxyVersion? = nil) {
        self.host = host
        self.port = port
        self.priority = priority
        self.proxy = proxy
    }
}

/// The version of a PROXY protocol header (haproxy.org, proxy-protocol.txt).
package enum ProxyVersion: UInt8, Hashable, Sendable {
    /// A line of text.
    case v1 = 1
    /// Binary.
    case v2 = 2
}

/// The limits of a rule, or of all rules of an owner together; nil means unlimited.
package struct RateLimit: Hashable, Sendable {
    /// Rate from end users to targets, in bytes per second.
    package var bytesIn: UInt64?
    /// Rate from targets to end users, in bytes per second.
    package var bytesOut: UInt64?
    /// New connections or UDP flows per second.
    package var connectionRate: UInt32?
    /// Concurrent connections and UDP flows.
    package var connections: UInt32?
    /// Burst after a pause, in bytes; nil means a second's worth. At least 1/100 and at most 60 s of the rate.
    package var burstIn: UInt64?
    /// Like `burstIn`, towards end users.
    package var burstOut: UInt64?
    /// Burst of new connections after a pause; nil means a second's worth.
    package var connectionBurst: UInt32?

    /// Limits with these values; by default unlimited.
    package init(
        bytesIn: UInt64? = nil, bytesOut: UInt64? = nil, connectionRate: UInt32? = nil,
        connections: UInt32? = nil, burstIn: UInt64? = nil, burstOut: UInt64? = nil,
        connectionBurst: UInt32? = nil
    ) {
        self.bytesIn = bytesIn
        self.bytesOut = bytesOut
        self.connectionRate = connectionRate
        self.connections = connections
        self.burstIn = burstIn
        self.burstOut = burstOut
        self.connectionBurst = connectionBurst
    }

    /// Whether nothing is limited.
    package var isUnlimited: Bool {
        bytesIn == nil && bytesOut == nil && connectionRate == nil && connections == nil
    }
}
