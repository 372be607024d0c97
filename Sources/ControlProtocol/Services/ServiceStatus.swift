/// A rule in the output of `bondd services`.
package struct ServiceStatus: Hashable, Sendable, Codable {
    /// The control plane's number, or the `[[rule]]`'s name.
    package var rule: String
    /// `portunus` or `file`.
    package var source: String
    /// `tcp` or `udp`.
    package var transport: String
    /// `8443` or `8000-8010`.
    package var ports: String
    /// The server name it accepts; nil means all.
    package var serverName: String?
    /// The targets, in the order in which they are tried.
    package var targets: [ServiceTargetStatus]
    /// `active`, `draining` or `failed`.
    package var state: String
    /// Why it failed.
    package var reason: String?
    /// `kernel` or `userspace`.
    package var way: String
    /// Why it is not carried by the kernel; nil if it is.
    package var wayReason: String?
    /// The owner.
    package var owner: String?
    /// Open TCP connections and UDP flows.
    package var connections: Int
    /// Bytes from users to targets.
    package var bytesIn: UInt64
    /// Bytes from targets to users.
    package var bytesOut: UInt64

    private enum CodingKeys: String, CodingKey {
        case rule, source, transport, ports, targets, state, reason, way, owner, connections
        case serverName = "server_name"
        case wayReason = "way_reason"
        case bytesIn = "bytes_in"
        case bytesOut = "bytes_out"
    }

    /// A rule's status.
    package init(
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
package struct ServiceTargetStatus: Hashable, Sendable, Codable {
    /// `HOST:PORT`, with brackets for IPv6.
    package var address: String
    /// Whether the target is considered healthy, so that connections try it first; nil if unknown, because the
    /// kernel carries the rule.
    package var isHealthy: Bool?

    private enum CodingKeys: String, CodingKey {
        case address
        case isHealthy = "healthy"
    }

    /// A target's status.
    package init(address: String, isHealthy: Bool? = nil) {
        self.address = address
        self.isHealthy = isHealthy
    }
}

/// The state of the control plane (Portunus) that rules come from.
package struct PlaneStatus: Hashable, Sendable, Codable {
    /// `off`, `connecting`, `connected`, `unauthorized`, or `wrong_certificate`.
    package var state: String
    /// Its address, `HOST:PORT`; nil if there is none.
    package var endpoint: String?
    /// The problem and the remedy in one sentence; nil if there is none.
    package var problem: String?

    /// The status of a control plane; by default none.
    package init(state: String = "off", endpoint: String? = nil, problem: String? = nil) {
        self.state = state
        self.endpoint = endpoint
        self.problem = problem
    }
}
