import Packet

/// What stands at one end of the links: a tunnel's Engine, or nothing at all.
protocol Station: AnyObject {
    /// When it wants its next turn.
    var wake: Instant { get }
    /// A datagram has arrived; the buffer is the station's from here.
    func take(_ frame: Slot, lane: Int, now: Instant)
    /// The host sends a packet of `length` bytes, which `fill` writes.
    func send(_ length: Int, now: Instant, fill: (UnsafeMutableRawBufferPointer) -> Void)
    /// Does what there is to do.
    func turn(now: Instant)
}
