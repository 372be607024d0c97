/// Traffic of the services handed over, as counted by the kernel.
package struct ServiceCounters: Hashable, Sendable, Codable {
    /// Identifies this run of bondd; all counters restart with another run.
    package var run: String
    /// The counters of each port of each service, in the order of the handover.
    package var ports: [ServicePortCounters]

    /// Counters.
    package init(run: String, ports: [ServicePortCounters] = []) {
        self.run = run
        self.ports = ports
    }
}

/// Traffic of one port in the kernel.
package struct ServicePortCounters: Hashable, Sendable, Codable {
    /// The service's `rule`.
    package var rule: String
    /// The port that users see.
    package var port: Int
    /// Bytes of IP packets from users to the target.
    package var bytesIn: Int
    /// Bytes of IP packets from the target to users.
    package var bytesOut: Int
    /// Packets from users to the target.
    package var packetsIn: Int
    /// Packets from the target to users.
    package var packetsOut: Int
    /// Open connections or flows.
    package var connections: Int

    private enum CodingKeys: String, CodingKey {
        case rule, port, connections
        case bytesIn = "bytes_in"
        case bytesOut = "bytes_out"
        case packetsIn = "packets_in"
        case packetsOut = "packets_out"
    }

    /// Counters at 0.
    package init(rule: String, port: Int) {
        self.rule = rule
        self.port = port
        bytesIn = 0
        bytesOut = 0
        packetsIn = 0
        packetsOut = 0
        connections = 0
    }
}
