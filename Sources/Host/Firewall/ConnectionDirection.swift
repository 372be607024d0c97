/// Which way a packet of a connection goes, as conntrack numbers it (IP_CT_DIR_…).
enum ConnectionDirection: UInt8, Hashable, Sendable {
    /// As the packet that began it.
    case original = 0
    /// Back.
    case reply = 1
}
