/// The properties of one direction of a link.
public struct LinkShape: Equatable, Sendable {
    /// Bits per second, counted over whole frames with their 14-byte Ethernet header; 0 is unlimited.
    public var rate: UInt64
    /// Capacity that changes over time; takes the place of `rate`.
    public var trace: RateTrace?
    /// One-way delay in nanoseconds, after the frame left the queue.
    public var delay: UInt64
    /// Depth of the drop-tail queue, as the nanoseconds that the rate needs to empty it.
    /// With a trace: as many bytes as its mean rate carries in that time.
    public var queue: UInt64 = 100_000_000
    /// Depth of the queue in bytes; takes the place of `queue`.
    public var queueBytes: Int?
    /// Drops what exceeds a rate, in front of the queue.
    public var policer: Policer?
    /// Each frame's delay differs by up to this many nanoseconds from `delay`, evenly in both directions. While order
    /// is kept, a frame that was held up holds up those behind it, so that the mean delay grows with the frame rate.
    public var jitter: UInt64 = 0
    /// Each frame arrives up to this many nanoseconds later, evenly, and never earlier.
    public var lag: UInt64 = 0
    /// Frames arrive in groups. The time between two groups is spread evenly over this range, in nanoseconds: a radio's
    /// scheduler grants its time in turns.
    public var grants: ClosedRange<UInt64>?
    /// The queue is not served, and holds what comes: a handover with buffering.
    public var handover: Recurrence?
    /// All frames vanish that are sent or would arrive.
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

    /// Depth of the queue in bytes, when it is not counted in time.
    var limit: Int? {
        queueBytes ?? trace.map { Int($0.meanRate / 8 * Double(queue) / 1e9) }
    }

    /// A link without loss, jitter and copies, and with 100 ms of queue.
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
