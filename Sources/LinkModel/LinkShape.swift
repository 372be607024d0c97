/// The properties of one direction of a link.
public struct LinkShape: Equatable, Sendable {
    /// Bits per second, counted over whole frames with their 14-byte Ethernet header; 0 is unlimited.
    public var rate: UInt64
    /// Capacity that changes over time; used instead of `rate`.
    public var trace: RateTrace?
    /// One-way delay in nanoseconds, after the frame left the queue.
    public var delay: UInt64
    /// Depth of the drop-tail queue, as the nanoseconds that the rate needs to drain it. With a trace: the
    /// number of bytes that its mean rate carries in that time.
    public var queue: UInt64 = 100_000_000
    /// Depth of the queue in bytes; used instead of `queue`.
    public var queueBytes: Int?
    /// Drops frames that exceed a rate, before the queue.
    public var policer: Policer?
    /// Each frame's delay differs from `delay` by up to this many nanoseconds, uniformly in both directions.
    /// While order is kept, a delayed frame delays those behind it, so the mean delay grows with the frame
    /// rate.
    public var jitter: UInt64 = 0
    /// Each frame arrives up to this many nanoseconds later, uniformly, and never earlier.
    public var lag: UInt64 = 0
    /// Frames arrive in groups at intervals of this many nanoseconds, uniformly distributed, like the
    /// transmission grants of a radio's scheduler.
    public var grants: ClosedRange<UInt64>?
    /// While this lasts the queue holds its frames: a handover with buffering.
    public var handover: Recurrence?
    /// Frames that are sent or would arrive while this lasts vanish.
    public var outage: Recurrence?
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

    /// Depth of the queue in bytes; nil if it is expressed as time.
    var limit: Int? {
        queueBytes ?? trace.map { Int($0.meanRate / 8 * Double(queue) / 1e9) }
    }

    /// A link without loss, jitter or copies, and with a queue of 100 ms.
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
