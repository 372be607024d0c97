/// What happened to the frames of one direction of a link since it was made.
///
/// sent + duplicated = delivered + queueDropped + lost + vanished + those still in flight.
public struct LinkCounters: Equatable, Sendable {
    /// Frames that the interface sent.
    public var sent: UInt64 = 0
    /// Their bytes, with the Ethernet header.
    public var sentBytes: UInt64 = 0
    /// Frames that arrived, copies included.
    public var delivered: UInt64 = 0
    /// Their bytes, with the Ethernet header.
    public var deliveredBytes: UInt64 = 0
    /// Frames dropped by the full queue, or because the lab's memory for frames in flight was used up.
    public var queueDropped: UInt64 = 0
    /// Frames lost on the way.
    public var lost: UInt64 = 0
    /// Frames made by duplication.
    public var duplicated: UInt64 = 0
    /// Frames that met a link that was down, an end without carrier, or an interface that is down or gone.
    public var vanished: UInt64 = 0
}
