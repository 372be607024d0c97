/// A class of service in a `SessionStatus`: its part of what this host sends in the session, and its counters
/// since the session or the class began.
package struct ClassStatus: Hashable, Sendable, Codable {
    /// Its name; `default` for packets of no class.
    package var name: String
    /// 0 is served first, 3 last.
    package var priority: Int
    /// The part of the bytes that it gets at least while it has packets waiting, in percent.
    package var share: Double
    /// Maximum rate in Mbit/s; 0 means none.
    package var ceiling: Double
    /// Packets that left for a path.
    package var sentPackets: UInt64
    /// Their bytes.
    package var sentBytes: UInt64
    /// Packets waiting for a path.
    package var queuePackets: Int
    /// Packets dropped because too many waited, or because their flow's queue persisted.
    package var dropped: UInt64
    /// Packets marked instead, because their flow supports ECN.
    package var marked: UInt64

    private enum CodingKeys: String, CodingKey {
        case name, priority, share
        case ceiling = "ceiling_mbit"
        case sentPackets = "tx_packets"
        case sentBytes = "tx_bytes"
        case queuePackets = "queue_packets"
        case dropped, marked
    }

    /// A class's status.
    package init(
        name: String, priority: Int, share: Double, ceiling: Double = 0, sentPackets: UInt64 = 0,
        sentBytes: UInt64 = 0, queuePackets: Int = 0, dropped: UInt64 = 0, marked: UInt64 = 0
    ) {
        self.name = name
        self.priority = priority
        self.share = share
        self.ceiling = ceiling
        self.sentPackets = sentPackets
        self.sentBytes = sentBytes
        self.queuePackets = queuePackets
        self.dropped = dropped
        self.marked = marked
    }
}

/// A client's limits in a `SessionStatus`; rates of 0 are none.
package struct LimitStatus: Hashable, Sendable, Codable {
    /// Maximum rate from the client in Mbit/s.
    package var rateUp: Double
    /// Maximum rate to the client in Mbit/s. A client does not know it, and reports 0.
    package var rateDown: Double
    /// The client's priority among the server's clients; nil on a client.
    package var priority: Int?

    private enum CodingKeys: String, CodingKey {
        case rateUp = "rate_up_mbit"
        case rateDown = "rate_down_mbit"
        case priority
    }

    /// Limits.
    package init(rateUp: Double = 0, rateDown: Double = 0, priority: Int? = nil) {
        self.rateUp = rateUp
        self.rateDown = rateDown
        self.priority = priority
    }
}
