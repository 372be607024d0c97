import Packet

/// An init for another shard to answer: the shard where it arrived could not know whose it was before opening
/// it.
public struct ForwardedInit: Sendable {
    /// The shard that answers it.
    public let shard: Int
    /// The datagram as received.
    public let datagram: [UInt8]
    /// The link by which it arrived.
    public let link: Link
    /// Whether it returned a cookie.
    public let hasCookie: Bool
}
