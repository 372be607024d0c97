import CLinux
import Runtime

/// A run of numbered UDP datagrams at an even pace, each a packet of its own, and what of them arrived.
public struct PacketFlow: Equatable, Sendable {
    /// Datagrams that were offered, those that the sender's kernel refused among them.
    public var sent: Int
    /// Datagrams that the sender's own kernel refused (no room in its buffers).
    public var refused: Int
    /// Different datagrams that arrived.
    public var received: Int
    /// Datagrams that arrived a second time.
    public var duplicates: Int
    /// Datagrams that arrived after a later one.
    public var outOfOrder: Int
    /// Seconds in which they were sent.
    public var sendingSeconds: Double
    /// Seconds from the first one sent to the last one that arrived, at least those of sending.
    public var seconds: Double

    /// Datagrams a second that were offered.
    public var offered: Double { sendingSeconds > 0 ? Double(sent) / sendingSeconds : 0 }
    /// Datagrams a second that arrived.
    public var delivered: Double { seconds > 0 ? Double(received) / seconds : 0 }
    /// The fraction that did not arrive; all of them when none was sent.
    public var loss: Double { sent == 0 ? 1 : Double(sent - received) / Double(sent) }

    /// What to send.
    public struct Plan: Sendable {
        /// Where to, IPv4.
        public var address: String
        /// Bytes of payload, 16 to 2000.
        public var size: Int
        /// Datagrams a second.
        public var rate: Double
        /// How long what is sent counts, in seconds.
        public var seconds: Double
        /// Seconds at the same rate before that, which do not count.
        public var omit = 0.0

        /// Datagrams to `address`.
        public init(to address: String, size: Int, rate: Double, seconds: Double) {
            precondition((16...2000).contains(size) && rate > 0 && seconds > 0)
            (self.address, self.size, self.rate, self.seconds) = (address, size, rate, seconds)
        }
    }

    /// Runs it to its end: until all was sent and nothing came for 100 ms. Throws `badAddress` or `system`.
    public static func run(
        from client: Namespace, to server: Namespace, _ plan: Plan
    ) throws(LabError) -> PacketFlow {
        // A run's own mark, so that what is still under way of an earlier one is not counted.
        let mark = UInt32(truncatingIfNeeded: Runtime.Clock.monotonic)
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
