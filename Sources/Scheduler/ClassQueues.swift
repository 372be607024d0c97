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
    /// Number of buckets for the flows of a class other than the default one.
    private static let buckets = 256

    private var classes: UnsafeMutablePointer<ClassQueue>
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

    private static func make(_ list: [ServiceClass]) -> UnsafeMutablePointer<ClassQueue> {
        let shares = Self.shares(of: list)
        let made = UnsafeMutablePointer<ClassQueue>.allocate(capacity: list.count + 1)
        for (index, share) in shares.enumerated() {
            (made + index).initialize(
                to: ClassQueue(
                    index == 0 ? nil : list[index - 1], share: share,
                    buckets: index == 0 ? FlowQueues.buckets : Self.buckets))
        }
        return made
    }

    private static func free(_ classes: UnsafeMutablePointer<ClassQueue>, _ count: Int) {
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
    public var count: Int {
        classCount == 1 ? classes.pointee.flows.count : sum { $0.pointee.flows.count }
    }
    /// Bytes waiting.
    public var bytes: Int {
        classCount == 1 ? classes.pointee.flows.bytes : sum { $0.pointee.flows.bytes }
    }
    /// Whether no packet waits.
    public var isEmpty: Bool { count == 0 }
    /// Packets dropped because of a standing queue in their flow.
    public var dropped: UInt64 { former.dropped + sum { $0.pointee.flows.dropped } }
    /// Packets marked instead of dropped, because their flow supports ECN (RFC 3168).
    public var marked: UInt64 { former.marked + sum { $0.pointee.flows.marked } }

    /// A class's counters, and what waits, was dropped and was marked in its flows' queues.
    public func report(
        of index: Int
    ) -> (counters: ClassCounters, share: Double, queued: Int, dropped: UInt64, marked: UInt64) {
        precondition(index >= 0 && index < classCount)
        let one = classes + index
        return (
            one.pointee.counters, one.pointee.share, one.pointee.flows.count, one.pointee.flows.dropped,
            one.pointee.flows.marked
        )
    }

    private func sum<Number: FixedWidthInteger>(
        _ value: (UnsafeMutablePointer<ClassQueue>) -> Number
    ) -> Number {
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
            one.pointee.resume(at: served[Int(one.pointee.priority)])
        }
        one.pointee.flows.append(slot, length: length, now: now, notes: notes)
        guard one.pointee.flows.bytes > one.pointee.limit else { return 0 }
        return one.pointee.dropFromLongest(pool: &pool, notes: notes)
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
        for i in 0..<classCount where classes[i].isReady(now) {
            if let best, !classes[i].precedes(classes[best]) { continue }
            best = i
        }
        return best
    }

    /// When a packet may leave: `.zero` for at once, `.never` if none waits.
    public var readyAt: Instant {
        if classCount == 1 { return classes.pointee.flows.isEmpty ? .never : .zero }
        var ready = Instant.never
        for i in 0..<classCount where !classes[i].flows.isEmpty {
            ready = min(ready, classes[i].readyAt)
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
        classCount > 1 && classes[turn].priority == 0 && classes[turn].hasCredit
    }

    /// Removes the packet that `first` returned, which has `length` bytes.
    /// - Parameter wasSent: whether it leaves for a path, for which its class pays.
    public mutating func removeFirst(
        length: Int, wasSent: Bool, now: Instant, notes: borrowing PacketNotes
    ) {
        let one = classes + turn
        one.pointee.flows.removeFirst(length: length, notes: notes)
        guard classCount > 1, wasSent else { return }
        served[Int(one.pointee.priority)] = one.pointee.tag
        let isPaid = one.pointee.hasCredit
        earn(length)
        one.pointee.bookSent(length, isPaid: isPaid, now: now)
    }

    /// Charges `length` bytes spent on repairs to the packet's class, and to those of its flows that have had
    /// their turn.
    public mutating func charge(_ length: Int, for slot: Slot, notes: borrowing PacketNotes) {
        let index = classCount > 1 ? number(of: slot, notes) : 0
        classes[index].flows.charge(length)
        guard classCount > 1 else { return }
        earn(length)
        classes[index].charge(length)
    }

    /// Every class earns its share of `length` bytes that leave.
    private func earn(_ length: Int) {
        for i in 0..<classCount { classes[i].earn(length) }
    }

    /// Skips the flow whose turn it is. See `FlowQueues.postponeFirst`.
    public mutating func postponeFirst() {
        if classCount > 1 { classes[turn].postponeFirst() } else { classes[turn].flows.postponeFirst() }
    }

    /// Begins a turn of sending, in which classes may pass over flows again.
    /// - Parameter rate: the paths' rate in bytes a second.
    public mutating func beginTurn(rate: Double) {
        guard classCount > 1 else { return }
        for i in 0..<classCount { classes[i].beginTurn(rate: rate) }
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
        return classes[longest].dropFromLongest(pool: &pool, notes: notes)
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
