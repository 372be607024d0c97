import Packet

/// The queues of one class of service, and its account of what it has sent. See `ClassQueues`.
struct ClassQueue: ~Copyable {
    /// Time for which unused credit is saved, in seconds of the class's share of the paths' rate.
    private static let savingTime = 0.1
    /// Credit that may be saved in any case, in bytes: two full packets.
    private static let leastSaving = 2.0 * Double(FlowQueues.quantum)
    /// Time for which packets may wait below the ceiling, in seconds.
    private static let longestTime = 0.15
    /// Bytes that may wait below a ceiling in any case.
    private static let leastBacklog = 16 * 1024
    /// How often the class may pass over a flow in one turn before the others have it.
    private static let mostPostponed: UInt8 = 4

    var flows: FlowQueues
    let priority: UInt8
    /// The part of the bytes that it gets at least, 0 to 1.
    let share: Double
    private var ceiling: Throttle
    /// Bytes that it may send before it has had its share.
    private var credit = Self.leastSaving
    /// Maximum credit of the class while it has no packets waiting, in bytes.
    private var longestCredit = Self.leastSaving
    /// Bytes that it has sent, divided by its share: the start tag of its next packet.
    private(set) var tag = 0.0
    private var postponed: UInt8 = 0
    private(set) var counters = ClassCounters()

    /// An empty queue; without a class, the default one's.
    /// - Parameters:
    ///   - share: 0 to 1.
    ///   - buckets: number of buckets for its flows.
    init(_ service: ServiceClass?, share: Double, buckets: Int) {
        flows = FlowQueues(buckets: buckets)
        priority = min(service?.priority ?? ServiceClass.defaultPriority, ServiceClass.lowestPriority)
        self.share = share
        ceiling = Throttle(rate: service?.ceilingRate ?? 0)
    }

    /// When its ceiling lets the next packet leave.
    var readyAt: Instant { ceiling.readyAt }
    /// Whether it has not had its share.
    var hasCredit: Bool { credit > 0 }
    /// Maximum number of bytes that may wait.
    var limit: Int {
        guard ceiling.isOn else { return .max }
        return max(Int(saturating: Double(ceiling.rate) * Self.longestTime), Self.leastBacklog)
    }

    /// Whether a packet waits that may leave now.
    func isReady(_ now: Instant) -> Bool {
        !flows.isEmpty && postponed < Self.mostPostponed && ceiling.allows(now)
    }

    /// Whether its turn comes before the other's.
    func precedes(_ other: borrowing ClassQueue) -> Bool {
        if arrears != other.arrears { return arrears > other.arrears }
        return priority != other.priority ? priority < other.priority : tag < other.tag
    }

    /// How far it is behind its share: 2 if its credit is all that it may save, 1 if it has some, 0 if it has
    /// had its share.
    private var arrears: Int { credit >= longestCredit ? 2 : credit > 0 ? 1 : 0 }

    /// Begins to have packets waiting: a class that was idle has no claim on what others had meanwhile.
    /// - Parameter tag: the tag of the class of its priority that was served last.
    mutating func resume(at tag: Double) { self.tag = max(self.tag, tag) }

    /// Begins a turn of sending, while the paths carry `rate` bytes a second.
    mutating func beginTurn(rate: Double) {
        postponed = 0
        longestCredit = max(Self.leastSaving, share * rate * Self.savingTime)
    }

    /// Passes over the flow whose turn it is.
    mutating func postponeFirst() {
        flows.postponeFirst()
        postponed = min(postponed + 1, Self.mostPostponed)
    }

    /// Earns its share of `length` bytes that leave, of whatever class.
    mutating func earn(_ length: Int) {
        credit += share * Double(length)
        // A class that waits for its turn loses nothing of its share.
        if flows.isEmpty || ceiling.isOn { credit = min(credit, longestCredit) }
    }

    /// A packet of `length` bytes leaves.
    /// - Parameter isPaid: whether from its share, and not from what others leave.
    mutating func bookSent(_ length: Int, isPaid: Bool, now: Instant) {
        counters.packets += 1
        counters.bytes += UInt64(length)
        ceiling.book(length, now: now)
        tag += Double(length) / share
        if isPaid { credit -= Double(length) }
    }

    /// Pays for `length` bytes of repairs.
    mutating func charge(_ length: Int) {
        credit = max(credit - Double(length), -longestCredit)
    }

    /// Drops from the head of its longest flow.
    /// - Returns: how many packets were dropped.
    mutating func dropFromLongest(pool: inout PacketPool, notes: borrowing PacketNotes) -> Int {
        let dropped = flows.dropFromLongest(pool: &pool, notes: notes)
        counters.overflowed += UInt64(dropped)
        return dropped
    }
}

/// What a class of service has carried, and lost.
public struct ClassCounters: Sendable {
    /// Packets that left the queue for a path.
    public var packets: UInt64 = 0
    /// Their bytes.
    public var bytes: UInt64 = 0
    /// Packets that were dropped because too many waited.
    public var overflowed: UInt64 = 0
}
