import CLinux

/// A run of numbered UDP datagrams at a constant rate, each a packet of its own, and the result.
public struct PacketFlow: Equatable, Sendable {
    /// Datagrams offered, including those that the sender's kernel refused.
    public var sent: Int
    /// Datagrams that the sender's own kernel refused (no room in its buffers).
    public var refused: Int
    /// Distinct datagrams that arrived.
    public var received: Int
    /// Datagrams that arrived a second time.
    public var duplicates: Int
    /// Datagrams that arrived after a later one.
    public var outOfOrder: Int
    /// The time in which they were sent, in seconds.
    public var sendingSeconds: Double
    /// Seconds from the first one sent to the last one received, at least the time of sending.
    public var seconds: Double

    /// Datagrams offered per second.
    public var offered: Double { sendingSeconds > 0 ? Double(sent) / sendingSeconds : 0 }
    /// Datagrams received per second.
    public var delivered: Double { seconds > 0 ? Double(received) / seconds : 0 }
    /// The fraction that did not arrive; 1 if none was sent.
    public var loss: Double { sent == 0 ? 1 : Double(sent - received) / Double(sent) }

    /// The parameters of a run.
    public struct Plan: Sendable {
        /// The destination, an IPv4 address.
        public var address: String
        /// Bytes of payload, 16 to 2000.
        public var size: Int
        /// Datagrams per second.
        public var rate: Double
        /// The measured time in seconds.
        public var seconds: Double
        /// Seconds at the same rate before that, which are not measured.
        public var omit = 0.0

        /// Datagrams to `address`.
        public init(to address: String, size: Int, rate: Double, seconds: Double) {
            precondition((16...2000).contains(size) && rate > 0 && seconds > 0)
            (self.address, self.size, self.rate, self.seconds) = (address, size, rate, seconds)
        }
    }

    /// Runs to completion: until all have been sent and none has arrived for 100 ms. Throws `badAddress` or
    /// `system`.
    public static func run(
        from client: Namespace, to server: Namespace, _ plan: Plan
    ) throws(LabError) -> PacketFlow {
        // A mark unique to the run, so that datagrams in flight from an earlier one are not counted.
        let mark = UInt32(truncatingIfNeeded: clinux_monotonic())
        let skipped = UInt32(plan.rate * plan.omit)
        let capacity = Int(plan.rate * plan.seconds) + 1
        let receiver = try PacketReceiver(in: server, mark: mark, first: skipped, capacity: capacity)
        defer { _ = receiver.finish() }
        let sender = try PacketSender(
            from: client, plan, port: receiver.port, mark: mark, skipped: Int(skipped))
        let sending = sender.finish()
        let arrival = receiver.finish()
        let last = max(arrival.last, sending.end)
        return PacketFlow(
            sent: sending.sent, refused: sending.refused, received: arrival.ledger.received,
            duplicates: arrival.ledger.duplicates, outOfOrder: arrival.ledger.outOfOrder,
            sendingSeconds: sending.end - sending.start, seconds: last - sending.start)
    }
}
