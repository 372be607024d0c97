import Packet

/// An init that is another shard's to answer: it arrived where nobody could know yet whose it is.
public struct ForwardedInit: Sendable {
    /// Whose it is.
    public let shard: Int
    /// The datagram, as it came.
    public let datagram: [UInt8]
    /// The way it came.
    public let link: Link
    /// Whether it brought a cookie back.
    public let hasCookie: Bool
}
