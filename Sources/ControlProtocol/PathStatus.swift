/// One path in a `SessionStatus`. Figures are for the sending direction, and 0 until measured.
package struct PathStatus: Hashable, Sendable, Codable {
    /// The path's name.
    package var name: String
    /// The interface it uses; empty on a server.
    package var interface: String
    /// `probing`, `up`, `suspect`, `down`, or `spent` if its monthly data is used up.
    package var state: String
    /// `primary`, `backup`, `metered` or `never`.
    package var role: String
    /// This host's address and port on the path; empty while unknown.
    package var local: String
    /// The peer's address and port on the path; empty while unknown.
    package var remote: String
    /// Smoothed round trip time in milliseconds.
    package var rtt: Double = 0
    /// Variation of the one-way delay in milliseconds.
    package var jitter: Double = 0
    /// The recent fraction of datagrams lost, 0…1.
    package var loss: Double = 0
    /// The estimated rate of the path in Mbit/s.
    package var rate: Double = 0
    /// The queueing delay of datagrams on the path, in milliseconds.
    package var queue: Double = 0
    /// The path's MTU in bytes, outer headers included.
    package var mtu: Int = 0
    /// Bytes of datagrams sent.
    package var sentBytes: UInt64 = 0
    /// Bytes of datagrams received.
    package var receivedBytes: UInt64 = 0
    /// Datagrams sent.
    package var sentPackets: UInt64 = 0
    /// Datagrams received.
    package var receivedPackets: UInt64 = 0
    /// Datagrams sent and lost.
    package var lost: UInt64 = 0
    /// Packets retransmitted on this path after another path lost them.
    package var repaired: UInt64 = 0

    /// Client: the data allowance for a month, in 10⁹ bytes; 0 means unlimited. Nil on a server, which does not
    /// know it.
    package var dataCap: Double?
    /// Client: the data used this month (UTC) in both directions, including IP headers, in 10⁹ bytes.
    package var dataUsed: Double?
    /// Why the path cannot be used, or not fully, and the remedy: sentences joined by "; ". Nil if there is no
    /// problem.
    package var note: String?

    private enum CodingKeys: String, CodingKey {
        case name, interface, state, role, local, remote
        case rtt = "rtt_ms"
        case jitter = "jitter_ms"
        case loss
        case rate = "rate_mbit"
        case queue = "queue_ms"
        case mtu
        case sentBytes = "tx_bytes"
        case receivedBytes = "rx_bytes"
        case sentPackets = "tx_packets"
        case receivedPackets = "rx_packets"
        case lost, repaired
        case dataCap = "data_cap_gb"
        case dataUsed = "data_used_gb"
        case note
    }

    /// A path's status without measurements.
    package init(
        name: String, interface: String, state: String, role: String, local: String = "", remote: String = ""
    ) {
        self.name = name
        self.interface = interface
        self.state = state
        self.role = role
        self.local = local
        self.remote = remote
    }
}

/// Traffic of one path of one client since bondd started. The counters never decrease.
package struct PathUsage: Hashable, Sendable, Codable {
    /// The client's public key, 32 bytes in base64; names may change.
    package var publicKey: String
    /// The path's name.
    package var path: String
    /// Bytes of datagrams sent to the client.
    package var sentBytes: UInt64
    /// Bytes of datagrams received from it.
    package var receivedBytes: UInt64

    private enum CodingKeys: String, CodingKey {
        case publicKey = "public_key"
        case path
        case sentBytes = "tx_bytes"
        case receivedBytes = "rx_bytes"
    }

    /// A path's usage.
    package init(publicKey: String, path: String, sentBytes: UInt64, receivedBytes: UInt64) {
        self.publicKey = publicKey
        self.path = path
        self.sentBytes = sentBytes
        self.receivedBytes = receivedBytes
    }
}

/// Traffic of each client's paths since bondd started, including ended sessions.
package struct UsageReport: Hashable, Sendable, Codable {
    /// Identifies this run of the daemon, at whose start counters were 0.
    package var run: String
    /// The traffic of each path of each client.
    package var paths: [PathUsage]
    /// The digest of the configuration in force, as in `ConfigurationStatus`; nil if not reported.
    package var configuration: String?

    /// A report.
    package init(run: String, paths: [PathUsage] = []) {
        self.run = run
        self.paths = paths
    }
}
