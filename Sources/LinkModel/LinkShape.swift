/// The properties of one direction of a link.
public struct LinkShape: Equatable, Sendable {
    /// Bits per second, counted over whole frames with their 14-byte Ethernet header; 0 is unlimited.
    public var rate: UInt64
    /// One-way delay in nanoseconds, after the frame has left the queue.
    public var delay: UInt64
    /// Depth of the drop-tail queue, as the nanoseconds that the rate needs to drain it.
    public var queue: UInt64 = 100_000_000
    /// Each frame's delay differs from `delay` by up to this many nanoseconds, uniformly in both directions.
    /// While order is kept, a delayed frame delays those behind it, so the mean delay grows with the frame
    /// rate.
    public var jitter: UInt64 = 0
    /// Whether jitter may put frames out of order.
    public var reorders = false
    /// The fraction of frames lost after the queue, 0...1.
    public var loss: Double = 0
    /// Mean number of consecutive frames lost (Gilbert–Elliott); 0 loses each frame independently.
    public var burst: Double = 0
    /// The fraction of frames that arrive twice, 0...1.
    public var duplication: Double = 0
    /// Frames of more than this many bytes without their Ethernet header vanish silently; 0 means no limit. The
    /// interfaces' MTU may be larger: a black hole for path MTU discovery (RFC 2923).
    public var mtu = 0
    /// Whether all frames vanish silently, including those in flight. The interface keeps its carrier.
    public var isDown = false

    /// A link without loss, jitter and duplication, and with 100 ms of queue.
    ///
    /// - Parameters:
    ///   - rate: bits per second; 0 is unlimited.
    ///   - delay: one-way delay in nanoseconds.
    public init(rate: UInt64, delay: UInt64) {
        self.rate = rate
        self.delay = delay
    }

    /// The same from megabits per second and milliseconds.
    public init(megabits: Double, milliseconds: Double) {
        self.init(rate: UInt64(megabits * 1e6), delay: UInt64(milliseconds * 1e6))
    }
}
