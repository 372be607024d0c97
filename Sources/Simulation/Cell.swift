/// What one run measured. What a run did not measure is nil.
public struct Cell: Encodable, Sendable {
    /// What became of a flow with all the data in the world.
    public struct Bulk: Encodable, Sendable {
        /// Mbit/s of payload.
        public var megabits: Double
        /// Of what could be had, 0 to 1.
        public var share: Double
        /// QUIC: the share of packets that were taken for lost and had arrived.
        public var spurious: Double?
        /// TCP: how often it went into recovery, how often by mistake, and timeouts, since its start.
        public var recoveries: Int?
        public var undone: Int?
        public var timeouts: Int?
    }

    /// What became of a stream of packets; shares of all packets, 0 to 1.
    public struct Stream: Encodable, Sendable {
        public var lost: Double
        /// More than 150 ms later than the fastest link allows.
        public var late: Double
        public var outOfOrder: Double
    }

    /// What became of pings.
    public struct Pings: Encodable, Sendable {
        /// Round-trip times in ms.
        public var median: Double
        public var p99: Double
        public var lost: Int
    }

    public var bulk: Bulk?
    public var call: Stream?
    public var pings: Pings?
    public var udp: Stream?
}
