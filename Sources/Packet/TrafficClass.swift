/// How a packet wants to be treated. The raw value is the shim's class byte.
public enum TrafficClass: UInt8, Sendable {
    /// Order matters more than a few milliseconds.
    case bulk = 0
    /// Expedited forwarding (DSCP 46, RFC 3246): never held.
    case realtime = 1
    /// ECT(1), a sender of L4S, who wants to hear of a queue at once and bears packets out of order for a while (RFC 9331
    /// section 4.3): never held.
    case scalable = 2

    /// Whether a packet waits for its flow's earlier ones.
    public var isOrdered: Bool { self == .bulk }
}
