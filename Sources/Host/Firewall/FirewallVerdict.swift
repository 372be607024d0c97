/// The fate of a packet.
enum FirewallVerdict: Hashable, Sendable {
    /// Ends this chain; later base chains still see the packet.
    case accept
    /// Discards the packet.
    case drop
    /// Discards the packet and sends ICMP "administratively prohibited".
    case reject
    /// Discards the packet and resets its TCP connection.
    case reset
}
