import Packet
import Proto

/// The paths that may carry data now, as the scheduler sees them: when would a packet arrive on each?
public struct Lanes: ~Copyable {
    /// Maximum number of paths per session.
    @inlinable public static var maximum: Int { Wire.maximumPaths }
    /// How much longer than on the best path packets may take on another one. Beyond this, holding the fast
    /// path's packets back for the slow one's costs more than the slow path contributes.
    public static let slack = Interval.milliseconds(3)
    /// A path on which packets arrive this much later than on the best one is left out of striping: every
    /// packet behind one of its own would wait for it, and a TCP flow's window would have to cover that time
    /// on all paths.
    public static let longestLead = Interval.milliseconds(150)
    /// The same in `throughput`, so that a geostationary satellite takes part.
    public static let longestBulkLead = Interval.milliseconds(400)
    /// In `preferred`, the backlog of one path, as time, above which the next path helps.
    public static let overflow = Interval.milliseconds(20)
    /// In `redundant`, a path with a longer backlog than this gets no copies until it has caught up.
    public static let longestCopyBacklog = Interval.milliseconds(100)
    /// In `redundant`, packets wait until at least one path has a shorter backlog than this.
    static let copyHorizon = Interval.milliseconds(5)

    /// One path.
    public struct Lane: Sendable {
        /// Whether the path may be chosen.
        public var isUsable = false
        /// Whether the path is left out of striping because it is so much slower than the best one that it
        /// would only delay packets.
        public var isLeftOut = false
        /// Nanoseconds per byte at the path's rate.
        public var cost = 0.0
        /// Nanoseconds from departure to arrival, less the part common to all paths.
        public var delay = 0.0
        /// `delay` without queue and jitter; infinite if no flow is spread over the path.
        public var floor = Double.infinity
        /// The path's shortest round trip in nanoseconds.
        public var roundTrip = 0.0
        /// Nanoseconds until its pacer lets the next datagram go.
        public var wait = 0.0
        /// Bytes assigned to the path that have not left yet.
        public var backlog = 0
        /// Bytes of `backlog` that leave before the rest.
        public var urgent = 0
        /// Largest backlog that the path accepts, in nanoseconds.
        public var horizon = 0.0
        /// Score in `preferred`: the smallest wins; infinite while the path cannot carry data.
        public var score = Double.infinity
        /// The largest packet that fits into its datagrams, in bytes.
        public var limit = Int.max

        /// A path that cannot be chosen.
        public init() {}

        /// Whether urgent packets leave almost at once (within 2 ms). If not, too many flows look sparse, or
        /// one of them sends a lot, and they should take turns with the rest.
        public var hasUrgentRoom: Bool { urgent == 0 || Double(urgent) * cost < 2e6 }

        /// The same for repairs, with half the bound, so that packets of sparse flows get in between when
        /// many repairs are due at once.
        fileprivate var hasRepairRoom: Bool { urgent == 0 || Double(urgent) * cost < 1e6 }
        fileprivate var isOpen: Bool { isUsable && !isLeftOut }
        fileprivate var standing: Double { Double(backlog) * cost }
        /// Whether its backlog is short: the next packet follows without a pause, however slow the path is.
        fileprivate var hasSpreadRoom: Bool { standing <= Lanes.slackTime + 1500 * cost }
        fileprivate func departure(of bytes: Int) -> Double { wait + Double(backlog + bytes) * cost }
        fileprivate func arrival(of bytes: Int) -> Double { departure(of: bytes) + delay }
        fileprivate func urgentArrival(of bytes: Int) -> Double {
            wait + Double(urgent + bytes) * cost + delay
        }
    }

    /// Allocated separately: reading one lane of an InlineArray copies all of them.
    private var lanes: UnsafeMutablePointer<Lane>
    /// Lanes allocated: few sessions have more paths than this.
    private var capacity = 4
    /// Number of paths.
    public private(set) var count = 0
    /// The smallest and the largest floor of the paths that take part; infinite if there are none.
    private var nearest = Double.infinity
    private var farthest = Double.infinity
    /// The shortest round trip of the nearest path, in nanoseconds.
    public private(set) var roundTrip = 0.0

    /// No paths.
    public init() {
        lanes = .allocate(capacity: capacity)
        lanes.initialize(repeating: Lane(), count: capacity)
    }

    deinit { lanes.deallocate() }

    /// The lane of the path at `index`.
    public subscript(index: Int) -> Lane {
        get {
            precondition(index >= 0 && index < Self.maximum)
            return index < capacity ? lanes[index] : Lane()
        }
        set {
            precondition(index >= 0 && index < Self.maximum)
            if index >= capacity { grow() }
            lanes[index] = newValue
            count = max(count, index + 1)
        }
    }

    private mutating func grow() {
        let larger = UnsafeMutablePointer<Lane>.allocate(capacity: Self.maximum)
        larger.moveInitialize(from: lanes, count: capacity)
        (larger + capacity).initialize(repeating: Lane(), count: Self.maximum - capacity)
        lanes.deallocate()
        (lanes, capacity) = (larger, Self.maximum)
    }

    /// Forgets all lanes, so that a removed path cannot be chosen.
    public mutating func removeAll() { count = 0 }

    /// Sets each lane's horizon: the backlog that a faster path may build up while a packet on the slowest
    /// path is in flight, so that both arrive together. It includes the slowest path's time to send one
    /// packet: otherwise a slow path would never be the first to deliver, and never be tried.
    public mutating func align() {
        var slowest = -Double.infinity
        for i in 0..<count where lanes[i].isOpen {
            slowest = max(slowest, lanes[i].wait + 1500 * lanes[i].cost + lanes[i].delay)
        }
        for i in 0..<count where lanes[i].isUsable {
            lanes[i].horizon = slowest - lanes[i].delay + Self.slackTime
        }
        (nearest, farthest, roundTrip) = (.infinity, -.infinity, 0)
        for i in 0..<count where lanes[i].floor < .infinity {
            if lanes[i].floor < nearest { (nearest, roundTrip) = (lanes[i].floor, lanes[i].roundTrip) }
            farthest = max(farthest, lanes[i].floor)
        }
    }

    private static var slackTime: Double { Double(slack.nanoseconds) }

    /// How much longer packets take on the path at `index` than on the nearest one, in nanoseconds, without
    /// queues; 0 if that is unknown.
    public func lead(of index: Int) -> Double {
        lanes[index].floor < .infinity ? lanes[index].floor - nearest : 0
    }

    /// Bulk flows: the path on which `bytes` more arrive first among those that are at most `reach` nanoseconds
    /// farther than the nearest one and have a short backlog; `nil` if none has.
    public func spread(_ bytes: Int, within reach: Double) -> Int? {
        var best: Int?
        for i in 0..<count where lanes[i].isOpen && lanes[i].floor < .infinity && bytes <= lanes[i].limit {
            guard lanes[i].hasSpreadRoom, lead(of: i) <= reach else { continue }
            if best.map({ lanes[i].arrival(of: bytes) < lanes[$0].arrival(of: bytes) }) ?? true { best = i }
        }
        return best
    }

    /// How much earlier than `lead` nanoseconds behind the nearest path `bytes` arrive on the path at `index`, in
    /// nanoseconds; at most 0 if they arrive no earlier.
    /// - Parameter isUrgent: whether they overtake the path's backlog.
    public func surplus(of bytes: Int, on index: Int, isUrgent: Bool, lead: Double) -> Double {
        guard nearest < .infinity else { return 0 }
        let due = nearest + min(lead, farthest - nearest)
        return due - (isUrgent ? lanes[index].urgentArrival(of: bytes) : lanes[index].arrival(of: bytes))
    }

    /// `stripe`: the path on which `bytes` more arrive first; `nil` if its backlog has reached its horizon.
    public func earliest(_ bytes: Int) -> Int? {
        var best: Int?
        var bestArrival = Double.infinity
        for i in 0..<count where lanes[i].isOpen && bytes <= lanes[i].limit {
            let arrival = lanes[i].arrival(of: bytes)
            if arrival < bestArrival {
                bestArrival = arrival
                best = i
            }
        }
        guard let best, Double(lanes[best].backlog) * lanes[best].cost <= lanes[best].horizon else {
            return nil
        }
        return best
    }

    /// The path on which `bytes` that overtake its backlog arrive first, except the path at `other`; `nil` if
    /// none can take them.
    public func soonest(_ bytes: Int, but other: Int? = nil) -> Int? {
        var best: Int?
        for i in 0..<count where lanes[i].isOpen && i != other && bytes <= lanes[i].limit {
            if let best, lanes[best].urgentArrival(of: bytes) <= lanes[i].urgentArrival(of: bytes) {
                continue
            }
            best = i
        }
        return best
    }

    /// The path for a repair of `bytes`, the first of `waiting` bytes of repairs. Among the paths with room
    /// for repairs on which it arrives no later than the last of the waiting bytes would on the soonest path,
    /// the one on which it arrives first; `nil` if there is none for now.
    public func repairing(_ bytes: Int, of waiting: Int) -> Int? {
        guard let soonest = soonest(bytes) else { return nil }
        let last = lanes[soonest].urgentArrival(of: max(bytes, waiting))
        var best: Int?
        for i in 0..<count where lanes[i].isOpen && lanes[i].hasRepairRoom && bytes <= lanes[i].limit {
            let arrival = lanes[i].urgentArrival(of: bytes)
            if arrival <= last && best.map({ arrival < lanes[$0].urgentArrival(of: bytes) }) ?? true {
                best = i
            }
        }
        return best
    }

    /// Whether a path that may be chosen is too narrow for `bytes`, so that smaller packets may still find
    /// room there.
    public func isAnyTooNarrow(for bytes: Int) -> Bool {
        for i in 0..<count where lanes[i].isUsable && bytes > lanes[i].limit { return true }
        return false
    }

    /// `preferred`: the path with the best score that can carry `bytes`, whatever its backlog; `nil` if none
    /// can.
    public func best(_ bytes: Int) -> Int? {
        var best: Int?
        for i in 0..<count where lanes[i].isUsable && bytes <= lanes[i].limit {
            if best.map({ lanes[i].score < lanes[$0].score }) ?? true { best = i }
        }
        return best
    }

    /// `preferred`: the path with the best score that has room; `nil` if none has.
    public func preferred(_ bytes: Int) -> Int? {
        var best: Int?
        for i in 0..<count where lanes[i].isUsable && bytes <= lanes[i].limit {
            // One packet always has room: on a slow path it alone may take longer than `overflow`.
            let hasRoom =
                lanes[i].backlog == 0 || lanes[i].departure(of: bytes) <= Double(Self.overflow.nanoseconds)
            if hasRoom && (best.map { lanes[i].score < lanes[$0].score } ?? true) { best = i }
        }
        return best
    }

    /// `redundant`: the paths on which `bytes` more arrive first, one bit each: at most `limit` of them, or
    /// all if that is 0. None while all of these have a backlog of `copyHorizon` or more.
    public func copies(_ bytes: Int, limit: Int) -> UInt16 {
        var chosen: UInt16 = 0
        var isWanted = false
        for _ in 0..<(limit > 0 ? min(limit, count) : count) {
            var best: Int?
            var bestArrival = Double.infinity
            for i in 0..<count where lanes[i].isUsable && chosen >> i & 1 == 0 && bytes <= lanes[i].limit {
                let arrival = lanes[i].arrival(of: bytes)
                guard lanes[i].standing < Double(Self.longestCopyBacklog.nanoseconds), arrival < bestArrival
                else { continue }
                bestArrival = arrival
                best = i
            }
            guard let best else { break }
            chosen |= 1 << UInt16(best)
            isWanted = isWanted || lanes[best].standing < Double(Self.copyHorizon.nanoseconds)
        }
        return isWanted ? chosen : 0
    }
}
