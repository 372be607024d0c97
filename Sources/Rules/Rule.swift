import Packet

/// A service behind the tunnel that is published: ports of this host, and where they lead.
public struct Rule: Hashable, Sendable {
    /// What it is known by; no two rules have the same.
    public var id: RuleID
    /// What it carries.
    public var transport: TransportProtocol
    /// The ports that it listens on; at most `maximumPorts`.
    public var ports: ClosedRange<UInt16>
    /// The address of this host that it listens on; nil: every one.
    public var listenAddress: IPAddress?
    /// Where to, 1 to `maximumTargets`; more than one only with a single port.
    public var targets: [RuleTarget]
    /// Whether the targets were given as a list, so that there are figures for each.
    public var listsTargets: Bool
    /// Whether names of targets are rather resolved to IPv6.
    public var prefersIPv6: Bool
    /// How often targets are probed, in seconds; 0: never.
    public var probeInterval: Int
    /// The server names (TLS SNI) that it is for: `host.example` or `*.example`; nil: all, or those that no other rule on the
    /// port is for.
    public var serverName: String?
    /// What it may take.
    public var limit: RateLimit
    /// Whose it is; several rules of one owner share the owner's limits and quota.
    public var owner: String?
    /// How many UDP flows it may have at once; nil: what the control plane says, else 1024.
    public var maximumFlows: Int?
    /// How long a silent UDP flow is kept, in seconds; nil: what the control plane says, else 60.
    public var flowIdle: Int?
    /// Whether its targets may be outside the tunnel.
    public var mayLeaveTunnel: Bool

    /// The most ports of a range. A control plane may be set up for more than its own 1024; each takes two sockets here, and as many
    /// as these are listened on within the time that it waits for an answer.
    public static let maximumPorts = 8192
    /// The most ports of a range that the kernel carries, as it counts what each carries.
    public static let maximumKernelPorts = 1024
    /// The most targets.
    public static let maximumTargets = 8

    /// A rule without limits for anybody.
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
