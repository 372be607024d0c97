import Packet

/// The queue before all paths by class of service: each class has queues for its flows, and a share of what
/// leaves.
///
/// With every byte that leaves, each class earns its share of it as credit, and pays for its own. A class with
/// packets and credit is below its share, and comes before those without; one whose credit is at its limit comes
/// before both, so that nothing starves while others spend what they have saved. So each gets its share whatever
/// the others want. What classes leave unused goes to the others and costs them nothing. In each case the lowest
/// priority comes first, and among equal priorities the class that has had least for its share (start-time fair
/// queueing, Goyal, Vin and Cheng, IEEE/ACM Transactions on Networking 5(5), 1997). The rate need not be known,
/// as it is what left. (Linux's HTB has similar rules with rates in place of shares.)
///
/// Class 0 is the default one. Without others this is one `FlowQueues`.
public struct ClassQueues: ~Copyable {
    /// The least share of a class in percent, so that it does not starve if the others have all.
    private static let leastShare = 0.25
    /// Time for which unused credit is kept, in seconds of the class's share of the paths' rate.
    private static let longestCredit = 0.1
    /// Credit that is kept at least, in bytes: two full packets.
    private static let leastCredit = 2.0 * Double(FlowQueues.quantum)
    /// Time for which packets of a class may wait below its own ceiling, in seconds.
    private static let longestTime = 0.15
    /// Bytes that may wait below a ceiling in any case.
    private static let leastBacklog = 16 * 1024
    /// Number of buckets for the flows of a class other than the default one.
    private static let buckets = 256
    /// How often a class may pass over a flow in one turn before the others have it.
    private static let mostPostponed: UInt8 = 4

    /// What a class has carried, and lost.
    public struct Counters: Sendable {
        /// Packets that left the queue for a path.
        public var packets: UInt64 = 0
        /// Their bytes.
        public var bytes: UInt64 = 0
        /// Packets that were dropped because too many waited.
        public var overflowed: UInt64 = 0
    }

    private struct Class: ~Copyable {
        var flows: FlowQueues
        let priority: UInt8
        /// The part of the bytes that it gets at least, 0 to 1.
        let share: Double
        var ceiling: Throttle
        /// Bytes that it may send before it has had its share.
        var credit: Double
        /// Maximum credit that is kept while no packet waits, in bytes.
        var longestCredit: Double
        /// Bytes that it has sent, for its share: the start tag.
        var tag = 0.0
        /// How often it has passed over a flow since the last `beginTurn`.
        var postponed: UInt8 = 0
        var counters = Counters()

        /// How far it is behind its share: 2 if its credit is all that it may save, 1 if it has some, 0 if it
        /// has had its share.
        var arrears: Int { credit >= longestCredit ? 2 : credit > 0 ? 1 : 0 }

        /// Maximum number of bytes that may wait below its ceiling.
        var limit: Int {
            guard ceiling.isOn else { return .max }
            return max(
                Int(saturating: Double(ceiling.rate) * ClassQueues.longestTime), ClassQueues.leastBacklog)
        }
    }

    private var classes: UnsafeMutablePointer<Class>
    /// Number of classes, with the default one.
    public private(set) var classCount = 1
    /// The class of the packet that `first` returned.
    private var turn = 0
    /// For each priority, the tag of the class that was served last.
    private var served = InlineArray<4, Double>(repeating: 0)
    /// Totals of classes that no longer exist.
    private var former = (dropped: UInt64(0), marked: UInt64(0))

    /// The default class alone.
    public init() { classes = Self.make([]) }

    deinit { Self.free(classes, classCount) }

    private static func make(_ list: [ServiceClass]) -> UnsafeMutablePointer<Class> {
        let shares = Self.shares(of: list)
        let made = UnsafeMutablePointer<Class>.allocate(capacity: list.count + 1)
        for (index, share) in shares.enumerated() {
            let one = index == 0 ? nil : list[index - 1]
            (made + index).initialize(
                to: Class(
                    flows: FlowQueues(buckets: index == 0 ? FlowQueues.buckets : Self.buckets),
                    priority: min(
                        one?.priority ?? ServiceClass.defaultPriority, ServiceClass.lowestPriority),
                    share: share, ceiling: Throttle(rate: UInt64(one?.ceiling ?? 0) * 125),
                    credit: Self.leastCredit, longestCredit: Self.leastCredit))
        }
        return made
    }

    private static func free(_ classes: UnsafeMutablePointer<Class>, _ count: Int) {
        classes.deinitialize(count: count)
        classes.deallocate()
    }

    /// The shares of the default class and the others, which add up to 1. Those without one have equal parts
    /// of what the others leave, and at least `leastShare` each.
    static func shares(of list: [ServiceClass]) -> [Double] {
        let given = [0] + list.map { Double(min($0.share, 100)) }
        let sum = given.reduce(0, +)
        let open = Double(given.count { $0 == 0 })
        let rest = max((100 - sum) / open, Self.leastShare)
        let parts = given.map { $0 == 0 ? rest : $0 }
        let whole = parts.reduce(0, +)
        return parts.map { $0 / whole }
    }

    // MARK: - Totals

    /// Packets waiting.
    public var count: Int { sum { $0.pointee.flows.count } }
    /// Bytes waiting.
    public var bytes: Int { sum { $0.pointee.flows.bytes } }
    /// Whether no packet waits.
    public var isEmpty: Bool { count == 0 }
    /// Packets dropped because of a standing queue in their flow.
    public var dropped: UInt64 { former.dropped + sum { $0.pointee.flows.dropped } }
    /// Packets marked instead of dropped, because their flow supports ECN (RFC 3168).
    public var marked: UInt64 { former.marked + sum { $0.pointee.flows.marked } }

    /// A class's counters, and what waits, was dropped and was marked in its flows' queues.
    public func report(
        of index: Int
    ) -> (counters: Counters, share: Double, queued: Int, dropped: UInt64, marked: UInt64) {
        precondition(index >= 0 && index < classCount)
        let one = classes + index
        return (
            one.pointee.counters, one.pointee.share, one.pointee.flows.count, one.pointee.flows.dropped,
            one.pointee.flows.marked
        )
    }

    private func sum<Number: FixedWidthInteger>(
        _ value: (UnsafeMutablePointer<Class>) -> Number
    ) -> Number {
        if classCount == 1 { return value(classes) }
        var sum: Number = 0
        for i in 0..<classCount { sum += value(classes + i) }
        return sum
    }

    // MARK: - Packets

    /// Appends a packet of `length` bytes, whose note has just been written, to its class.
    /// - Returns: how many packets of the class were dropped, because more waited than its ceiling lets leave
    ///   in time.
    public mutating func append(
        _ slot: Slot, length: Int, now: Instant, pool: inout PacketPool, notes: borrowing PacketNotes
    ) -> Int {
        guard classCount > 1 else {
            classes.pointee.flows.append(slot, length: length, now: now, notes: notes)
            return 0
        }
        let one = classes + number(of: slot, notes)
        if one.pointee.flows.isEmpty {
            // A class that was idle has no claim on what others had meanwhile.
            one.pointee.tag = max(one.pointee.tag, served[Int(one.pointee.priority)])
        }
        one.pointee.flows.append(slot, length: length, now: now, notes: notes)
        guard one.pointee.flows.bytes > one.pointee.limit else { return 0 }
        let dropped = one.pointee.flows.dropFromLongest(pool: &pool, notes: notes)
        one.pointee.counters.overflowed += UInt64(dropped)
        return dropped
    }

    private func number(of slot: Slot, _ notes: borrowing PacketNotes) -> Int {
        let number = Int(notes[slot].serviceClass)
        return number < classCount ? number : 0
    }

    /// The packet whose turn it is, or `Slot.none` if none may leave now. See `FlowQueues.first`.
    public mutating func first(
        _ limits: CoDel.Limits, now: Instant, pool: inout PacketPool, notes: borrowing PacketNotes
    ) -> Slot {
        guard classCount > 1 else {
            return classes.pointee.flows.first(limits, now: now, pool: &pool, notes: notes)
        }
        while let index = choose(now: now) {
            let slot = classes[index].flows.first(limits, now: now, pool: &pool, notes: notes)
            turn = index
            if slot != .none { return slot }
        }
        return .none
    }

    private func choose(now: Instant) -> Int? {
        var best: Int?
        for i in 0..<classCount {
            let one = classes + i
            guard !one.pointee.flows.isEmpty, one.pointee.postponed < Self.mostPostponed,
                one.pointee.ceiling.allows(now)
            else { continue }
            if let best, !precedes(i, best) { continue }
            best = i
        }
        return best
    }

    private func precedes(_ index: Int, _ other: Int) -> Bool {
        let (one, other) = (classes + index, classes + other)
        if one.pointee.arrears != other.pointee.arrears {
            return one.pointee.arrears > other.pointee.arrears
        }
        if one.pointee.priority != other.pointee.priority {
            return one.pointee.priority < other.pointee.priority
        }
        return one.pointee.tag < other.pointee.tag
    }

    /// When a packet may leave: `.zero` for at once, `.never` if none waits.
    public var readyAt: Instant {
        var ready = Instant.never
        for i in 0..<classCount where !classes[i].flows.isEmpty {
            ready = min(ready, classes[i].ceiling.readyAt)
        }
        return ready
    }

    /// Whether the flow of the packet whose turn it is sends less than its share and little in all: urgent
    /// traffic must leave room for it.
    public var isFirstSparse: Bool { classes[turn].flows.isFirstSparse }
    /// Whether the flow of the packet whose turn it is sends fewer than 200 packets a second.
    public var isFirstSlow: Bool { classes[turn].flows.isFirstSlow }
    /// Whether the packet whose turn it is belongs to a class of priority 0 that is below its share: it is to
    /// wait for nothing.
    public var isFirstForemost: Bool {
        classCount > 1 && classes[turn].priority == 0 && classes[turn].credit > 0
    }

    /// Removes the packet that `first` returned, which has `length` bytes.
    /// - Parameter wasSent: whether it leaves for a path, for which its class pays.
    public mutating func removeFirst(
        length: Int, wasSent: Bool, now: Instant, notes: borrowing PacketNotes
    ) {
        let one = classes + turn
        one.pointee.flows.removeFirst(length: length, notes: notes)
        guard classCount > 1, wasSent else { return }
        one.pointee.counters.packets += 1
        one.pointee.counters.bytes += UInt64(length)
        one.pointee.ceiling.book(length, now: now)
        let pays = one.pointee.credit > 0
        served[Int(one.pointee.priority)] = one.pointee.tag
        one.pointee.tag += Double(length) / one.pointee.share
        earn(length)
        if pays { one.pointee.credit -= Double(length) }
    }

    /// Charges `length` bytes spent on repairs to the packet's class, and to those of its flows that have had
    /// their turn.
    public mutating func charge(_ length: Int, for slot: Slot, notes: borrowing PacketNotes) {
        let index = classCount > 1 ? number(of: slot, notes) : 0
        classes[index].flows.charge(length)
        guard classCount > 1 else { return }
        earn(length)
        classes[index].credit = max(
            classes[index].credit - Double(length), -classes[index].longestCredit)
    }

    /// Every class earns its share of `length` bytes that leave.
    private func earn(_ length: Int) {
        for i in 0..<classCount {
            let one = classes + i
            one.pointee.credit += one.pointee.share * Double(length)
            // A class that waits for its turn loses nothing of its share.
            if one.pointee.flows.isEmpty || one.pointee.ceiling.isOn {
                one.pointee.credit = min(one.pointee.credit, one.pointee.longestCredit)
            }
        }
    }

    /// Skips the flow whose turn it is. See `FlowQueues.postponeFirst`.
    public mutating func postponeFirst() {
        classes[turn].flows.postponeFirst()
        if classCount > 1 { classes[turn].postponed += 1 }
    }

    /// Begins a turn of sending, in which classes may pass over flows again.
    /// - Parameter rate: the paths' rate in bytes a second.
    public mutating func beginTurn(rate: Double) {
        guard classCount > 1 else { return }
        for i in 0..<classCount {
            classes[i].postponed = 0
            classes[i].longestCredit = max(
                Self.leastCredit, classes[i].share * rate * Self.longestCredit)
        }
    }

    /// Makes room when the queue is at its limit: drops from the longest flow of the class that has most
    /// waiting for its share.
    /// - Returns: how many packets were dropped.
    public mutating func dropFromLongest(pool: inout PacketPool, notes: borrowing PacketNotes) -> Int {
        var longest = 0
        for i in 1..<max(classCount, 1) {
            let (one, other) = (classes + i, classes + longest)
            if Double(one.pointee.flows.bytes) * other.pointee.share
                > Double(other.pointee.flows.bytes) * one.pointee.share
            {
                longest = i
            }
        }
        let dropped = classes[longest].flows.dropFromLongest(pool: &pool, notes: notes)
        if classCount > 1 { classes[longest].counters.overflowed += UInt64(dropped) }
        return dropped
    }

    // MARK: - Classes

    /// Replaces the classes; packets that wait join theirs by `classifier`. Counters start over.
    public mutating func replace(
        _ list: [ServiceClass], _ classifier: borrowing Classifier, now: Instant, pool: inout PacketPool,
        notes: borrowing PacketNotes
    ) {
        let list = Array(list.prefix(ServiceClass.maximumCount))
        let (old, oldCount) = (classes, classCount)
        former = (dropped, marked)
        classes = Self.make(list)
        classCount = list.count + 1
        turn = 0
        served = InlineArray(repeating: 0)
        // No packet is late for this: it only moves.
        let patient = CoDel.Limits(target: .seconds(1 << 30))
        for i in 0..<oldCount {
            while case let slot = old[i].flows.first(patient, now: now, pool: &pool, notes: notes),
                slot != .none
            {
                let length = pool.length(of: slot)
                old[i].flows.removeFirst(length: length, notes: notes)
                var note = notes[slot]
                note.next = .none
                note.serviceClass = 0
                if !note.isTest,
                    let packet = InnerPacket(parsing: UnsafeRawBufferPointer(pool.packet(in: slot)))
                {
                    note.serviceClass = classifier.number(of: packet)
                }
                notes[slot] = note
                _ = append(slot, length: length, now: now, pool: &pool, notes: notes)
            }
        }
        Self.free(old, oldCount)
    }

    /// Releases all packets.
    public mutating func removeAll(pool: inout PacketPool, notes: borrowing PacketNotes) {
        for i in 0..<classCount { classes[i].flows.removeAll(pool: &pool, notes: notes) }
    }

    /// Releases memory if no packet waits.
    public mutating func shrink() {
        for i in 0..<classCount { classes[i].flows.shrink() }
    }
}
