/// What becomes of a packet.
enum FirewallVerdict: Hashable, Sendable {
    /// It may go on, as far as this chain is concerned; others see it still.
    case accept
    /// It is gone.
    case drop
    /// It is gone, and its sender is told "administratively prohibited" by ICMP.
    case reject
    /// It is gone, and so is its TCP connection.
    case reset
}
