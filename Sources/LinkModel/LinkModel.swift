/// One direction of a link, without sockets, threads or a clock: the caller passes the time in nanoseconds
/// since any origin, and the same seed repeats a run to the bit. The emulator runs it in real time, simulations
/// in virtual time.
///
/// A frame passes the policer; is dropped if the queue is full; leaves the queue at max(now, departure of the
/// previous frame) + size·8/rate, or when the trace has carried it; then is lost, or arrives `delay` ±
/// `jitter` later. A lost frame has used the rate, as on a radio link. Changes of `shape` apply to the frames
/// offered from then on.
public struct LinkModel: Sendable {
    /// The fate of a frame.
    public enum Fate: Equatable, Sendable {
        /// It arrives at this time.
        case delivered(at: UInt64)
        /// It arrives at the first time, and its copy at the second.
        case duplicated(at: UInt64, copy: UInt64)
        /// The queue was full.
        case queueFull
        /// Dropped by the policer.
        case policed
        /// Lost after the queue.
        case lost
        /// The link is down.
        case down
    }

    /// The link's properties, which may change at any time.
    public var shape: LinkShape {
        didSet {
            if shape.trace != oldValue.trace { service = TraceService() }
            limit = shape.limit
        }
    }
    /// When traces and recurring events begin. Times before it count from the end of their period.
    public private(set) var origin: UInt64 = 0
    /// Depth of the queue in bytes; nil if it is expressed as time.
    private var limit: Int?
    private var service = TraceService()
    private var backlog = Backlog()
    private var policer = PolicerState()
    private var lastGrant: UInt64 = 0
    private var random: SeededGenerator
    private var losses = LossProcess()
    private var lastDeparture: UInt64 = 0
    private var lastDelivery: UInt64 = 0

    /// A link whose random choices are all derived from `seed`.
    public init(shape: LinkShape, seed: UInt64) {
        self.shape = shape
        limit = shape.limit
        random = SeededGenerator(seed: seed)
    }

    /// Makes traces and recurring events begin at `time`.
    public mutating func restart(at time: UInt64) { origin = time }

    /// Offers a frame of `bytes` at `now`. Times must not go backwards.
    public mutating func offer(bytes: Int, at now: UInt64) -> Fate {
        if shape.isDown || remaining(shape.outage, at: now) != nil { return .down }
        if shape.mtu > 0 && bytes > shape.mtu + 14 { return .lost }
        if let rule = shape.policer, !policer.admits(bytes, at: now, rule) { return .policed }
        let start = max(now, lastDeparture)
        if let limit {
            backlog.drain(by: now)
            if backlog.bytes > 0 && backlog.bytes + bytes > limit { return .queueFull }
        } else if start - now > shape.queue {
            return .queueFull
        }
        lastDeparture = departure(bytes, from: start)
        if limit != nil { backlog.append(bytes, departure: lastDeparture) }
        if losses.loses(shape, &random) { return .lost }
        let copies = shape.duplication > 0 && random.unit() < shape.duplication
        let delivery = arrival()
        if remaining(shape.outage, at: delivery) != nil { return .down }
        return copies ? .duplicated(at: delivery, copy: arrival()) : .delivered(at: delivery)
    }

    /// Bits that the link can carry between two times, unless it is down.
    public func bits(from start: UInt64, to end: UInt64) -> Double {
        guard let trace = shape.trace else { return Double(shape.rate) * Double(end - start) / 1e9 }
        let begin = elapsed(start, trace.period)
        return trace.bits(from: begin, to: begin + (end - start))
    }

    /// Nanoseconds until a recurring event ends that is in progress at `time`; nil otherwise.
    private func remaining(_ event: Recurrence?, at time: UInt64) -> UInt64? {
        guard let event else { return nil }
        let time = elapsed(time, event.period)
        return event.end(at: time).map { $0 - time }
    }

    /// Nanoseconds since `origin`; before it, since the beginning of a period that ends there.
    private func elapsed(_ time: UInt64, _ period: UInt64) -> UInt64 {
        time >= origin ? time - origin : (period - (origin - time) % period) % period
    }

    /// When a frame has left the queue whose service begins at or after `start`.
    private mutating func departure(_ bytes: Int, from start: UInt64) -> UInt64 {
        let start = start + (remaining(shape.handover, at: start) ?? 0)
        if let trace = shape.trace {
            let time = elapsed(start, trace.period)
            return start + (service.departure(bytes, from: time, trace) - time)
        }
        return start + (shape.rate == 0 ? 0 : UInt64(bytes) * 8_000_000_000 / shape.rate)
    }

    /// When the frame that just left the queue arrives.
    private mutating func arrival() -> UInt64 {
        var time = granted(lastDeparture) + shape.delay
        if shape.jitter > 0 {
            let early = min(shape.jitter, shape.delay)
            time = time - early + UInt64(random.unit() * Double(early + shape.jitter))
        }
        if shape.lag > 0 { time += UInt64(random.unit() * Double(shape.lag)) }
        if !shape.reorders { time = max(time, lastDelivery) }
        lastDelivery = max(lastDelivery, time)
        return time
    }

    /// The first time at or after `time` at which the radio grants the link its turn.
    private mutating func granted(_ time: UInt64) -> UInt64 {
        guard let grants = shape.grants, grants.upperBound > 0 else { return time }
        // After a pause, the grants during it are not worth drawing.
        if time > lastGrant + 2 * grants.upperBound {
            lastGrant = time - UInt64(random.unit() * Double(grants.upperBound))
        }
        while lastGrant < time {
            let step =
                Double(grants.lowerBound) + random.unit() * Double(grants.upperBound - grants.lowerBound)
            lastGrant += max(UInt64(step), 1)
        }
        return lastGrant
    }
}
