import Packet

/// A datagram under way.
struct Arrival {
    /// When it arrives, in nanoseconds.
    let time: UInt64
    /// Among those that arrive at once, the first sent is the first.
    let order: UInt64
    /// The client that it goes to; -1: the server.
    let client: Int
    let link: Link
    let bytes: [UInt8]
    /// The ECN bits of its outer header.
    let ecn: UInt8
}
