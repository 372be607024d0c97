/// The results of one run; nil for everything that the run did not measure.
public struct Cell: Encodable, Sendable {
    /// Results of a flow that always has data to send.
    public struct Bulk: Encodable, Sendable {
        /// Mbit/s of payload.
        public var megabits: Double
        /// The share of the attainable rate, 0 to 1.
        public var share: Double
        /// QUIC: the share of packets declared lost that had arrived.
        public var spurious: Double?
        /// TCP: the number of recoveries since its start.
        public var recoveries: Int?
        /// TCP: how many of them were undone because nothing had been lost.
        public var undone: Int?
        /// TCP: the number of timeouts.
        public var timeouts: Int?
        /// TCP: the median of the round trips in ms.
        public var roundTrip: Double?
        /// TCP: their 95th percentile in ms.
        public var longRoundTrip: Double?
    }

    /// Results of a stream of packets; shares of all packets, 0 to 1.
    public struct Stream: Encodable, Sendable {
        /// Never arrived.
        public var lost: Double
        /// Arrived more than 150 ms later than the fastest link allows.
        public var late: Double
        /// Arrived after a later one.
        public var outOfOrder: Double
    }

    /// Results of pings.
    public struct Pings: Encodable, Sendable {
        /// The median round-trip time in ms.
        public var median: Double
        /// The 95th percentile in ms.
        public var p95: Double
        /// The 99th percentile in ms.
        public var p99: Double
        /// The number of unanswered pings.
        public var lost: Int
    }

    /// Results of `cubic`, `bbr`, `quic` and `flood`.
    public var bulk: Bulk?
    /// Results of the telephone call of `light` and `busy`, both directions together.
    public var call: Stream?
    /// Results of the pings of `light` and `busy`, and of those next to every flow over links that vary.
    public var pings: Pings?
    /// Results of `udp`.
    public var udp: Stream?
}
