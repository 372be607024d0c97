/// One session in `Status`.
package struct SessionStatus: Hashable, Sendable, Codable {
    /// The client's name.
    package var client: String
    /// The client's first address in the tunnel; empty if it has none yet.
    package var address: String
    /// `connecting`, `up` or `down`.
    package var state: String
    /// The mode in which the session sends.
    package var mode: String
    /// On a server: the version of the client's program; nil if unknown.
    package var version: String?
    /// Seconds since the keys in use were agreed on.
    package var rekeyAge: Double
    /// Whether the keys also depend on a preshared key, so that a quantum computer cannot decrypt recorded
    /// traffic: `psk` or `none`; nil from versions that do not report it.
    package var postQuantum: String?
    /// The generation of the preshared key that the server gave the client; nil for a configured key, or none.
    package var secretGeneration: Int?
    /// Inner packets waiting for a path.
    package var queuePackets: Int
    /// Drops and marks in the queue before the paths; nil from versions that do not report it.
    package var queue: QueueStatus?
    /// Retransmissions and copies; nil from versions that do not report it.
    package var repair: RepairStatus?
    /// The classes of service, the default one first; nil without configured ones.
    package var classes: [ClassStatus]?
    /// The client's limits; nil without any.
    package var limits: LimitStatus?
    /// The paths, in the client's order.
    package var paths: [PathStatus]
    /// The reorder buffer.
    package var reorder: ReorderStatus
    /// Packets dropped since the session began, by reason.
    package var drops: [String: UInt64]

    private enum CodingKeys: String, CodingKey {
        case client, address, state, mode, version
        case rekeyAge = "rekey_age_s"
        case postQuantum = "post_quantum"
        case secretGeneration = "secret_generation"
        case queuePackets = "queue_packets"
        case queue, classes, limits, repair, paths, reorder, drops
    }

    /// A session's status.
    package init(
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

/// The reorder buffer in a `SessionStatus`.
package struct ReorderStatus: Hashable, Sendable, Codable {
    /// Packets currently waiting for a predecessor.
    package var held: Int
    /// Packets that arrived after their deadline, since the session began.
    package var late: UInt64
    /// Duplicates discarded, since the session began.
    package var duplicates: UInt64
    /// Lost packets recovered from repair symbols, since the session began.
    package var recovered: UInt64
    /// Maximum time a packet is held, in milliseconds.
    package var deadline: Double

    private enum CodingKeys: String, CodingKey {
        case held, late, duplicates, recovered
        case deadline = "deadline_ms"
    }

    /// Decodes a reorder buffer's status; earlier versions of bondd omit `recovered`.
    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        held = try container.decode(Int.self, forKey: .held)
        late = try container.decode(UInt64.self, forKey: .late)
        duplicates = try container.decode(UInt64.self, forKey: .duplicates)
        recovered = try container.decodeIfPresent(UInt64.self, forKey: .recovered) ?? 0
        deadline = try container.decode(Double.self, forKey: .deadline)
    }

    /// A reorder buffer's status.
    package init(
        held: Int = 0, late: UInt64 = 0, duplicates: UInt64 = 0, recovered: UInt64 = 0, deadline: Double = 0
    ) {
        self.held = held
        self.late = late
        self.duplicates = duplicates
        self.recovered = recovered
        self.deadline = deadline
    }
}

/// Retransmissions and copies in a `SessionStatus`, since the session began.
package struct RepairStatus: Hashable, Sendable, Codable {
    /// Packets retransmitted because their path fell silent or lost them.
    package var resent: UInt64
    /// Packets lost and not retransmitted, because it was too late or exceeded the budget.
    package var unrepaired: UInt64
    /// Small packets sent over two paths at once.
    package var copied: UInt64

    /// Counters of repairs.
    package init(resent: UInt64 = 0, unrepaired: UInt64 = 0, copied: UInt64 = 0) {
        self.resent = resent
        self.unrepaired = unrepaired
        self.copied = copied
    }
}
