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
        /// TCP: how often it went into recovery since its start.
        public var recoveries: Int?
        /// TCP: how often that was taken back, as nothing had been lost.
        public var undone: Int?
        /// TCP: how often nothing came for so long that all counted as lost.
        public var timeouts: Int?
    }

    /// What became of a stream of packets; shares of all packets, 0 to 1.
    public struct Stream: Encodable, Sendable {
        /// Never came.
        public var lost: Double
        /// More than 150 ms later than the fastest link allows.
        public var late: Double
        /// Came behind a later one.
        public var outOfOrder: Double
    }

    /// What became of pings.
    public struct Pings: Encodable, Sendable {
        /// The median round-trip time in ms.
        public var median: Double
        /// What 95 of 100 did not exceed, in ms.
        public var p95: Double
        /// What 99 of 100 did not exceed, in ms.
        public var p99: Double
        /// How many were not answered.
        public var lost: Int
    }

    /// Of `cubic`, `bbr`, `quic` and `flood`.
    public var bulk: Bulk?
    /// The telephone call of `light` and `busy`, both directions together.
    public var call: Stream?
    /// The pings of `light` and `busy`, and those next to every flow over links that change all the time.
    public var pings: Pings?
    /// Of `udp`.
    public var udp: Stream?
}
