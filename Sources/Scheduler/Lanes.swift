import Packet
import Proto

/// The paths that may carry data now, as the choice among them sees them: when would a packet arrive on each?
public struct Lanes: ~Copyable {
    /// The most paths of a session at once.
    @inlinable public static var maximum: Int { Wire.maximumPaths }
    /// How much longer than the best path the packets of another may have been under way: beyond it, holding the fast
    /// path's packets back for the slow one's costs more than the slow one brings.
    public static let slack = Interval.milliseconds(3)
    /// A path on which packets arrive this much later than on the best one takes no part in striping: every packet behind
    /// one of its own would wait for it, and a TCP flow's window would have to cover that time on all paths.
    public static let longestLead = Interval.milliseconds(150)
    /// In `preferred`, how much may wait before a path before the next one helps.
    public static let overflow = Interval.milliseconds(20)
    /// In `redundant`, a path that is further behind than this gets no copies until it has caught up.
    public static let longestCopyBacklog = Interval.milliseconds(100)
    /// In `redundant`, packets wait while no path has less than this to do.
    static let copyHorizon = Interval.milliseconds(5)

    /// One path.
    public struct Lane: Sendable {
        /// Whether it may be chosen.
        public var isUsable = false
        /// Whether nothing is striped over it now, as it is so much slower than the best path that it would only delay that.
        public var isLeftOut = false
        /// Nanoseconds that a byte takes at its rate.
        public var cost = 0.0
        /// Nanoseconds from departure to arrival, less what all paths share.
        public var delay = 0.0
        /// Nanoseconds until its pacer lets the next datagram go.
        public var wait = 0.0
        /// Bytes that were given to it and have not left.
        public var backlog = 0
        /// Those of them that go before the rest.
        public var urgent = 0
        /// Nanoseconds of backlog that it takes.
        public var horizon = 0.0
        /// In `preferred`, the smallest wins; infinite while it can't carry data.
        public var score = Double.infinity
        /// The largest packet that fits into its datagrams, in bytes.
        public var limit = Int.max

        /// A path that can't be chosen.
        public init() {}

        /// Whether what goes before the backlog leaves at once, more or less. Where it does not, flows that seem to send little
        /// are too many, or one of them sends much, and they had better take turns with the rest.
        public var hasUrgentRoom: Bool { urgent == 0 || Double(urgent) * cost < 2e6 }

        /// The same for repairs: half of that, so that what sends little gets in between when many are due at once.
        fileprivate var hasRepairRoom: Bool { urgent == 0 || Double(urgent) * cost < 1e6 }
        fileprivate var isOpen: Bool { isUsable && !isLeftOut }
        fileprivate var standing: Double { Double(backlog) * cost }
        fileprivate func departure(of bytes: Int) -> Double { wait + Double(backlog + bytes) * cost }
        fileprivate func urgentArrival(of bytes: Int) -> Double {
            wait + Double(urgent + bytes) * cost + delay
        }
    }

    /// Memory of their own: of an InlineArray, a look at one lane copies all of them.
    private let lanes: UnsafeMutablePointer<Lane>
    /// How many paths there are.
    public private(set) var count = 0

    /// No paths.
    public init() {
        lanes = .allocate(capacity: Self.maximum)
        lanes.initialize(repeating: Lane(), count: Self.maximum)
    }

    deinit { lanes.deallocate() }

    /// The lane of the path at `index`.
    public subscript(index: Int) -> Lane {
        get {
            precondition(index >= 0 && index < Self.maximum)
            return lanes[index]
        }
        set {
            precondition(index >= 0 && index < Self.maximum)
            lanes[index] = newValue
            count = max(count, index + 1)
        }
    }

    /// Forgets all lanes: a path that is gone must not be chosen.
    public mutating func removeAll() { count = 0 }

    /// Sets each lane's horizon: what a faster path may collect while a packet of the slowest one gets there, so that both
    /// arrive together. It includes the time that the slowest takes to send one: otherwise a slow path would never be
    /// the first to deliver, and never be tried.
    public mutating func align() {
        var slowest = -Double.infinity
        for i in 0..<count where lanes[i].isOpen {
            slowest = max(slowest, lanes[i].wait + 1500 * lanes[i].cost + lanes[i].delay)
        }
        let slack = Double(Self.slack.nanoseconds)
        for i in 0..<count where lanes[i].isUsable {
            lanes[i].horizon = slowest - lanes[i].delay + slack
        }
    }

    /// `stripe`: the path on which `bytes` more arrive first, or nil when it has enough to do for now.
    public func earliest(_ bytes: Int) -> Int? {
        var best: Int?
        var bestArrival = Double.infinity
        for i in 0..<count where lanes[i].isOpen && bytes <= lanes[i].limit {
            let arrival = lanes[i].departure(of: bytes) + lanes[i].delay
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

    /// The path on which `bytes` arrive first that go before its backlog, but for the path at `other`; nil when there is none.
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

    /// The path for a repair of `bytes`, the first of `waiting` bytes of them: where it arrives first, or where it does no later
    /// than the last of them would there; nil when the urgent lanes have enough to do for now.
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

    /// Whether a path that may be chosen is too narrow for `bytes`, so that smaller packets may find room there.
    public func isAnyTooNarrow(for bytes: Int) -> Bool {
        for i in 0..<count where lanes[i].isUsable && bytes > lanes[i].limit { return true }
        return false
    }

    /// `preferred`: the path of the best score that can carry `bytes`, whatever waits for it; nil when there is none.
    public func best(_ bytes: Int) -> Int? {
        var best: Int?
        for i in 0..<count where lanes[i].isUsable && bytes <= lanes[i].limit {
            if best.map({ lanes[i].score < lanes[$0].score }) ?? true { best = i }
        }
        return best
    }

    /// `preferred`: the path of the best score with room, or nil when none has.
    public func preferred(_ bytes: Int) -> Int? {
        var best: Int?
        for i in 0..<count where lanes[i].isUsable && bytes <= lanes[i].limit {
            // One packet always has room, as on a slow path it alone takes longer than that.
            let hasRoom =
                lanes[i].backlog == 0 || lanes[i].departure(of: bytes) <= Double(Self.overflow.nanoseconds)
            if hasRoom && (best.map { lanes[i].score < lanes[$0].score } ?? true) { best = i }
        }
        return best
    }

    /// `redundant`: the paths on which `bytes` more arrive first, at most `limit` of them, or all when that is 0; a bit each.
    /// None while all of these have enough to do.
    public func copies(_ bytes: Int, limit: Int) -> UInt16 {
        var chosen: UInt16 = 0
        var isWanted = false
        for _ in 0..<(limit > 0 ? min(limit, count) : count) {
            var best: Int?
            var bestArrival = Double.infinity
            for i in 0..<count where lanes[i].isUsable && chosen >> i & 1 == 0 && bytes <= lanes[i].limit {
                let arrival = lanes[i].departure(of: bytes) + lanes[i].delay
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
