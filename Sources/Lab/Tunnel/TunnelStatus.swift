import FoundationEssentials

/// The part of `bondd status --json` read by the lab. Not bondd's own type: the keys are a contract, and this is
/// the other side of it.
public struct TunnelStatus: Decodable, Sendable {
    /// A session with one peer.
    public struct Session: Decodable, Sendable {
        /// The peer's name.
        public var client: String
        /// The address in the tunnel.
        public var address: String
        /// `connecting`, `up` or `down`.
        public var state: String
        /// Its paths, in the client's order.
        public var paths: [Path]
        /// Packets that wait for a path.
        public var queue_packets: Int
        /// The reorder buffer.
        public var reorder: Reorder
        /// Classes of service; nil without any.
        public var classes: [ServiceClass]?
        /// The client's limits; nil without any.
        public var limits: Limits?

        /// The class of that name.
        public func serviceClass(_ name: String) -> ServiceClass? { classes?.first { $0.name == name } }
    }

    /// A class of service of a session.
    public struct ServiceClass: Decodable, Sendable {
        /// Its name.
        public var name: String
        /// 0 to 3.
        public var priority: Int
        /// Its least part, in percent.
        public var share: Double
        /// Bytes of packets sent.
        public var tx_bytes: Int
        /// Packets sent.
        public var tx_packets: Int
        /// Packets dropped before they were sent.
        public var dropped: Int
    }

    /// A client's limits.
    public struct Limits: Decodable, Sendable {
        /// Mbit/s from the client; 0 means none.
        public var rate_up_mbit: Double
        /// Mbit/s to the client; 0 means none.
        public var rate_down_mbit: Double
        /// 0 to 3; nil on a client.
        public var priority: Int?
    }

    /// A path of a session.
    public struct Path: Decodable, Sendable {
        /// Its name.
        public var name: String
        /// `probing`, `up`, `suspect` or `down`.
        public var state: String
        /// `primary`, `backup`, `metered` or `never`.
        public var role: String
        /// This end's address and port.
        public var local: String
        /// The other end's address and port.
        public var remote: String
        /// Round-trip time in ms.
        public var rtt_ms: Double
        /// The fraction of datagrams lost, 0...1.
        public var loss: Double
        /// The estimated rate in Mbit/s.
        public var rate_mbit: Double
        /// The largest IP packet it carries, in bytes.
        public var mtu: Int
        /// Bytes of datagrams sent.
        public var tx_bytes: Int
        /// Bytes of datagrams received.
        public var rx_bytes: Int
        /// Datagrams sent.
        public var tx_packets: Int
        /// Packets retransmitted on this path after another path lost them.
        public var repaired: Int
        /// The data allowance for a month, in GB; nil on a server.
        public var data_cap_gb: Double?
        /// The data used this month, in GB; nil on a server.
        public var data_used_gb: Double?
        /// Why it cannot be used, or not fully; nil if there is no problem.
        public var note: String?
    }

    /// The reorder buffer of a session.
    public struct Reorder: Decodable, Sendable {
        /// Duplicates discarded.
        public var duplicates: Int
        /// Packets recovered from repair symbols.
        public var recovered: Int
    }

    /// `client` or `server`.
    public var role: String
    /// The mode's word.
    public var mode: String
    /// The tunnel's MTU in bytes.
    public var mtu: Int
    /// bondd's age in seconds.
    public var uptime_s: Double
    /// Data threads.
    public var threads: Int
    /// One session for each client.
    public var sessions: [Session]
    /// Problems that keep it from carrying traffic, one sentence each.
    public var problems: [String]?
    /// Packets dropped, by reason.
    public var drops: [String: Int]

    /// Parses the output of `bondd status --json`. Throws `unreadable`.
    public init(_ json: String) throws(LabError) {
        guard let status = try? JSONDecoder().decode(Self.self, from: Data(json.utf8)) else {
            throw .unreadable(program: "bondd status --json", output: json)
        }
        self = status
    }

    /// The path of that name in the first session.
    public func path(_ name: String) -> Path? { sessions.first?.paths.first { $0.name == name } }
    /// The session with the client of that name.
    public func session(_ client: String) -> Session? { sessions.first { $0.client == client } }
    /// Whether there is a session with an address, and all its paths except those with role `never` are up.
    public var isWhole: Bool {
        !sessions.isEmpty
            && sessions.allSatisfy { session in
                session.state == "up" && !session.address.isEmpty
                    && session.paths.allSatisfy { $0.state == "up" || $0.role == "never" }
                    && session.paths.contains { $0.state == "up" }
            }
    }
}
