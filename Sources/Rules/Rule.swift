import Packet

/// A published service behind the tunnel: ports of this host, and their targets.
public struct Rule: Hashable, Sendable {
    /// The rule's identifier, unique among the rules.
    public var id: RuleID
    /// The transport protocol.
    public var transport: TransportProtocol
    /// The ports it listens on; at most `maximumPorts`.
    public var ports: ClosedRange<UInt16>
    /// The address of this host it listens on; nil means all of them.
    public var listenAddress: IPAddress?
    /// 1 to `maximumTargets` targets; more than one only with a single port.
    public var targets: [RuleTarget]
    /// Whether the targets were given as a list, so that each is reported.
    public var listsTargets: Bool
    /// Whether target names are preferably resolved to IPv6.
    public var prefersIPv6: Bool
    /// Interval between probes of the targets in seconds; 0 means never.
    public var probeInterval: Int
    /// The server names (TLS SNI) it accepts: `host.example` or `*.example`; nil means all, or those that no
    /// other rule on the port accepts.
    public var serverName: String?
    /// Limits on the rule's traffic.
    public var limit: RateLimit
    /// The owner; rules of one owner share the owner's limits and quota.
    public var owner: String?
    /// Maximum number of concurrent UDP flows; nil means the control plane's value, or else 1024.
    public var maximumFlows: Int?
    /// Idle timeout of a UDP flow in seconds; nil means the control plane's value, or else 60.
    public var flowIdle: Int?
    /// Whether its targets may be outside the tunnel.
    public var mayLeaveTunnel: Bool

    /// Maximum number of ports in a range. A control plane may permit more than its default of 1024; each takes
    /// two sockets here, and this many can be opened within the time that it waits for an answer.
    public static let maximumPorts = 8192
    /// Maximum number of ports in a range carried by the kernel, which counts each port's traffic.
    public static let maximumKernelPorts = 1024
    /// Maximum number of targets.
    public static let maximumTargets = 8

    /// A rule with default options and without limits.
    public init(
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
