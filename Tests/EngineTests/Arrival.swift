import Packet

/// A datagram in flight.
struct Arrival {
    /// When the host reads it, in nanoseconds.
    let time: UInt64
    /// When it arrives at the host.
    let arrived: UInt64
    /// Breaks ties: among simultaneous arrivals, the first sent comes first.
    let order: UInt64
    /// The client that it goes to; -1 for the server.
    let client: Int
    let link: Link
    let bytes: [UInt8]
    /// The ECN bits of its outer header.
    let ecn: UInt8
}
