/// A rule in the output of `bondd services`.
public struct ServiceStatus: Hashable, Sendable, Codable {
    /// The control plane's number, or the `[[rule]]`'s name.
    public var rule: String
    /// `portunus` or `file`.
    public var source: String
    /// `tcp` or `udp`.
    public var transport: String
    /// `8443` or `8000-8010`.
    public var ports: String
    /// The server name it accepts; nil means all.
    public var serverName: String?
    /// The targets, in the order in which they are tried.
    public var targets: [ServiceTargetStatus]
    /// `active`, `draining` or `failed`.
    public var state: String
    /// Why it failed.
    public var reason: String?
    /// `kernel` or `userspace`.
    public var way: String
    /// Why it is not carried by the kernel; nil if it is.
    public var wayReason: String?
    /// The owner.
    public var owner: String?
    /// Open TCP connections and UDP flows.
    public var connections: Int
    /// Bytes from users to targets.
    public var bytesIn: UInt64
    /// Bytes from targets to users.
    public var bytesOut: UInt64

    private enum CodingKeys: String, CodingKey {
        case rule, source, transport, ports, targets, state, reason, way, owner, connections
        case serverName = "server_name"
        case wayReason = "way_reason"
        case bytesIn = "bytes_in"
        case bytesOut = "bytes_out"
    }

    /// A rule's status.
    public init(
        rule: String, source: String, transport: String, ports: String, serverName: String? = nil,
        targets: [ServiceTargetStatus], state: String, reason: String? = nil, way: String,
        wayReason: String? = nil, owner: String? = nil, connections: Int = 0, bytesIn: UInt64 = 0,
        bytesOut: UInt64 = 0
    ) {
        self.rule = rule
        self.source = source
        self.transport = transport
        self.ports = ports
        self.serverName = serverName
        self.targets = targets
        self.state = state
        self.reason = reason
        self.way = way
        self.wayReason = wayReason
        self.owner = owner
        self.connections = connections
        self.bytesIn = bytesIn
        self.bytesOut = bytesOut
    }
}

/// A target of a rule.
public struct ServiceTargetStatus: Hashable, Sendable, Codable {
    /// `HOST:PORT`, with brackets for IPv6.
    public var address: String
    /// Whether the target is considered healthy, so that connections try it first; nil if unknown, because the
    /// kernel carries the rule.
    public var isHealthy: Bool?

    private enum CodingKeys: String, CodingKey {
        case address
        case isHealthy = "healthy"
    }

    /// A target's status.
    public init(address: String, isHealthy: Bool? = nil) {
        self.address = address
        self.isHealthy = isHealthy
    }
}

/// The state of the control plane (Portunus) that rules come from.
public struct PlaneStatus: Hashable, Sendable, Codable {
    /// `off`, `connecting`, `connected`, `unauthorized`, or `wrong_certificate`.
    public var state: String
    /// Its address, `HOST:PORT`; nil if there is none.
    public var endpoint: String?
    /// The problem and the remedy in one sentence; nil if there is none.
    public var problem: String?

    /// The status of a control plane; by default none.
    public init(state: String = "off", endpoint: String? = nil, problem: String? = nil) {
        self.state = state
        self.endpoint = endpoint
        self.problem = problem
    }
}
