/// The fate of all frames in one direction of a link.
///
/// sent + duplicated = delivered + queueDropped + lost + vanished + those still in flight.
public struct LinkCounters: Equatable, Sendable {
    /// Frames sent by the interface.
    public var sent: UInt64 = 0
    /// Their bytes, including the Ethernet header.
    public var sentBytes: UInt64 = 0
    /// Frames delivered, including copies.
    public var delivered: UInt64 = 0
    /// Their bytes, including the Ethernet header.
    public var deliveredBytes: UInt64 = 0
    /// Frames dropped because the queue, or the lab's memory for frames in flight, was full.
    public var queueDropped: UInt64 = 0
    /// Frames lost in flight.
    public var lost: UInt64 = 0
    /// Frames created by duplication.
    public var duplicated: UInt64 = 0
    /// Frames lost to a link that was down, an end without carrier, or an interface that was down or gone.
    public var vanished: UInt64 = 0
}
