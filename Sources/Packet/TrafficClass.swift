/// How a packet wants to be treated. The raw value is the shim's class byte.
public enum TrafficClass: UInt8, Sendable {
    /// Order matters more than a few milliseconds.
    case bulk = 0
    /// Expedited forwarding (DSCP 46, RFC 3246): held for 20 ms at the most.
    case realtime = 1
}
