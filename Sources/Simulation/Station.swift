import Packet

/// One end of the links: a tunnel's Engine, or a plain wire.
protocol Station: AnyObject {
    /// When it needs its next turn.
    var wake: Instant { get }
    /// Called when a datagram arrives; the buffer belongs to the station from then on.
    func take(_ frame: Slot, lane: Int, now: Instant)
    /// Called when the host sends a packet of `length` bytes, which `fill` writes.
    func send(_ length: Int, now: Instant, fill: (UnsafeMutableRawBufferPointer) -> Void)
    /// Does all pending work.
    func turn(now: Instant)
}
