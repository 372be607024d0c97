/// What the kernel has carried of the services that were handed over.
public struct ServiceCounters: Hashable, Sendable, Codable {
    /// Names this run of bondd: with another, all counters began anew.
    public var run: String
    /// One a port of each service, in the order of the handover.
    public var ports: [ServicePortCounters]

    /// Counters.
    public init(run: String, ports: [ServicePortCounters] = []) {
        self.run = run
        self.ports = ports
    }
}

/// What the kernel has carried on a port.
public struct ServicePortCounters: Hashable, Sendable, Codable {
    /// The service's `rule`.
    public var rule: String
    /// The port that users see.
    public var port: Int
    /// Bytes of IP packets from users to the target.
    public var bytesIn: Int
    /// Bytes of IP packets back.
    public var bytesOut: Int
    /// Packets from users to the target.
    public var packetsIn: Int
    /// Packets back.
    public var packetsOut: Int
    /// Connections or flows that are open.
    public var connections: Int

    private enum CodingKeys: String, CodingKey {
        case rule, port, connections
        case bytesIn = "bytes_in"
        case bytesOut = "bytes_out"
        case packetsIn = "packets_in"
        case packetsOut = "packets_out"
    }

    /// Counters that count from 0.
    public init(rule: String, port: Int) {
        self.rule = rule
        self.port = port
        bytesIn = 0
        bytesOut = 0
        packetsIn = 0
        packetsOut = 0
        connections = 0
    }
}
