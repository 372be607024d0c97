/// The treatment of a packet. The raw value is the shim's class byte.
public enum TrafficClass: UInt8, Sendable {
    /// Order matters more than a few milliseconds.
    case bulk = 0
    /// Expedited forwarding (DSCP 46, RFC 3246): never held.
    case realtime = 1
    /// ECT(1), from an L4S sender, which wants to hear of a queue at once and tolerates brief reordering (RFC 9331
    /// section 4.3): never held.
    case scalable = 2

    /// Whether a packet waits for its flow's earlier ones.
    public var isOrdered: Bool { self == .bulk }
}
