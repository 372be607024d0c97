/// A rule, as `bondd services` shows it.
public struct ServiceStatus: Hashable, Sendable, Codable {
    /// The control plane's number, or the `[[rule]]`'s name.
    public var rule: String
    /// `portunus` or `file`.
    public var source: String
    /// `tcp` or `udp`.
    public var transport: String
    /// `8443` or `8000-8010`.
    public var ports: String
    /// The server name that it is for; nil: all.
    public var serverName: String?
    /// Where to, in the order in which they are tried.
    public var targets: [ServiceTargetStatus]
    /// `active`, `draining` or `failed`.
    public var state: String
    /// Why it failed.
    public var reason: String?
    /// `kernel` or `userspace`.
    public var way: String
    /// Why not by the kernel; nil when it is.
    public var wayReason: String?
    /// Whose it is.
    public var owner: String?
    /// TCP connections and UDP flows that are open.
    public var connections: Int
    /// Bytes from users to targets.
    public var bytesIn: UInt64
    /// Bytes back.
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
    /// Whether connections try it first; nil: not known, as the kernel carries the rule.
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
