/// One direction of a link, without sockets, threads or a clock: the caller passes the time in nanoseconds
/// since any origin, and the same seed repeats a run to the bit. The emulator runs it in real time, simulations
/// in virtual time.
///
/// A frame leaves the queue at max(now, departure of the previous one) + size·8/rate; it is dropped if the
/// previous one leaves later than the queue is deep; then it is lost, or arrives `delay` ± `jitter` later. A
/// lost frame has used the rate, as on a radio link. Changes of `shape` apply to the frames offered from then
/// on.
public struct LinkModel: Sendable {
    /// The fate of a frame.
    public enum Fate: Equatable, Sendable {
        /// It arrives at this time.
        case delivered(at: UInt64)
        /// It arrives at this time and its copy at the other.
        case duplicated(at: UInt64, copy: UInt64)
        /// The queue was full.
        case queueFull
        /// It was lost in flight.
        case lost
        /// The link is down.
        case down
    }

    /// The properties of the link; may change at any time.
    public var shape: LinkShape
    private var random: SeededGenerator
    private var losses = LossProcess()
    private var lastDeparture: UInt64 = 0
    private var lastDelivery: UInt64 = 0

    /// A link whose random choices are all derived from `seed`.
    public init(shape: LinkShape, seed: UInt64) {
        self.shape = shape
        random = SeededGenerator(seed: seed)
    }

    /// Offers a frame of `bytes` at `now`. Times must not go backwards.
    public mutating func offer(bytes: Int, at now: UInt64) -> Fate {
        if shape.isDown { return .down }
        if shape.mtu > 0 && bytes > shape.mtu + 14 { return .lost }
        let start = max(now, lastDeparture)
        if start - now > shape.queue { return .queueFull }
        let serialisation = shape.rate == 0 ? 0 : UInt64(bytes) * 8_000_000_000 / shape.rate
        lastDeparture = start + serialisation
        if losses.loses(shape, &random) { return .lost }
        let copies = shape.duplication > 0 && random.unit() < shape.duplication
        let delivery = arrival()
        return copies ? .duplicated(at: delivery, copy: arrival()) : .delivered(at: delivery)
    }

    /// When a frame arrives that has just left the queue.
    private mutating func arrival() -> UInt64 {
        var time = lastDeparture + shape.delay
        if shape.jitter > 0 {
            let early = min(shape.jitter, shape.delay)
            time = time - early + UInt64(random.unit() * Double(early + shape.jitter))
        }
        if !shape.reorders { time = max(time, lastDelivery) }
        lastDelivery = max(lastDelivery, time)
        return time
    }
}
