/// The direction of a packet within its connection, as numbered by conntrack (IP_CT_DIR_…).
enum ConnectionDirection: UInt8, Hashable, Sendable {
    /// The direction of the first packet.
    case original = 0
    /// The opposite direction.
    case reply = 1
}
