/// One session in `Status`.
public struct SessionStatus: Hashable, Sendable, Codable {
    /// The client's name.
    public var client: String
    /// The client's first address in the tunnel; empty if it has none yet.
    public var address: String
    /// `connecting`, `up` or `down`.
    public var state: String
    /// The mode in which the session sends.
    public var mode: String
    /// On a server: the version of the client's program; nil if unknown.
    public var version: String?
    /// Seconds since the keys in use were agreed on.
    public var rekeyAge: Double
    /// Whether the keys also depend on a preshared key, so that a quantum computer cannot decrypt recorded
    /// traffic: `psk` or `none`; nil from versions that do not report it.
    public var postQuantum: String?
    /// The generation of the preshared key that the server gave the client; nil for a configured key, or none.
    public var secretGeneration: Int?
    /// Inner packets waiting for a path.
    public var queuePackets: Int
    /// Drops and marks in the queue before the paths; nil from versions that do not report it.
    public var queue: QueueStatus?
    /// Retransmissions and copies; nil from versions that do not report it.
    public var repair: RepairStatus?
    /// The paths, in the client's order.
    public var paths: [PathStatus]
    /// The reorder buffer.
    public var reorder: ReorderStatus
    /// Packets dropped since the session began, by reason.
    public var drops: [String: UInt64]

    private enum CodingKeys: String, CodingKey {
        case client, address, state, mode, version
        case rekeyAge = "rekey_age_s"
        case postQuantum = "post_quantum"
        case secretGeneration = "secret_generation"
        case queuePackets = "queue_packets"
        case queue, repair, paths, reorder, drops
    }

    /// A session's status.
    public init(
        client: String, address: String, state: String, mode: String, rekeyAge: Double, queuePackets: Int = 0,
        queue: QueueStatus? = nil, repair: RepairStatus? = nil, paths: [PathStatus] = [],
        reorder: ReorderStatus = ReorderStatus(), drops: [String: UInt64] = [:]
    ) {
        self.client = client
        self.address = address
        self.state = state
        self.mode = mode
        self.rekeyAge = rekeyAge
        self.queuePackets = queuePackets
        self.queue = queue
        self.repair = repair
        self.paths = paths
        self.reorder = reorder
        self.drops = drops
    }
}
