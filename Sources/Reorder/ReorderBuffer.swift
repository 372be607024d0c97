import Packet

/// Restores the order within each flow and drops copies.
///
/// A packet names its flow's previous packet by the distance to that one's sequence. It is delivered at once
/// if that packet was delivered or there is none; otherwise it waits, at most until its deadline. So a loss
/// holds up its own flow and no other. A predecessor that arrives after it was given up is delivered late
/// rather than dropped.
///
/// A packet of a flow that is spread over paths of different delays may ask to be kept for a while even if its
/// turn has come, so that the flow has one constant delay. Its successors wait for it as for one that is missing.
public struct ReorderBuffer: ~Copyable {
    /// The outcome for a packet.
    public enum Verdict: Sendable {
        /// The packet is in the queue of delivered packets, and others that waited for it may be, too.
        case delivered
        /// The packet waits for its predecessor.
        case held
        /// The packet has arrived before; the caller keeps the slot.
        case duplicate
        /// The packet is too old to tell whether it has arrived before; the caller keeps the slot.
        case stale
    }

    /// Counters for status and metrics.
    public struct Counters: Sendable {
        /// Packets that had to wait.
        public var held: UInt64 = 0
        /// Packets that arrived after a successor of their own flow had been delivered.
        public var late: UInt64 = 0
        /// Copies dropped.
        public var duplicates: UInt64 = 0
        /// Packets dropped because they were below the window.
        public var stale: UInt64 = 0
        /// Packets delivered because their deadline came before their predecessor.
        public var expired: UInt64 = 0
        /// Packets delivered because their predecessor was proven lost.
        public var proven: UInt64 = 0
    }

    /// Packets kept until their time are delivered in steps of this, so that they cost few timers.
    public static let step = Interval.microseconds(500)
    /// Maximum time that a packet waits.
    public static let longestHold = Interval.milliseconds(500)

    /// Number of times that `prove` examined 64 sequences: a measure of its work.
    private(set) var examined = 0
    /// Counts so far.
    public private(set) var counters = Counters()
    /// Packets waiting now.
    public var held: Int { waiting.count }

    private var received = SequenceWindow()
    /// Delivered or given up: successors of these sequences need not wait.
    private var settled = SequenceWindow()
    private var waiting: HeldPackets
    private var ready: SlotQueue
    private var floor: UInt64 = 0
    /// The last predecessors given up, by the low bits of their sequence.
    private var givenUp = InlineArray<64, GivenUp>(repeating: GivenUp())
    private var longestNeeded = Interval.zero
    /// When the top last moved by half a window, and the top at that time.
    private var measuredAt = Instant.zero
    private var measuredTop: UInt64 = 0
    private let pinned = Pinned()

    private struct GivenUp: Sendable {
        var sequence: UInt64 = .max
        /// Since when a packet had waited for it.
        var since = Instant.zero
    }

    /// An empty buffer in which at most `bound` packets wait.
    public init(bound: Int = 65536) {
        waiting = HeldPackets(bound: bound)
        ready = SlotQueue(bound: 1 << 16)
    }

    /// Takes a packet.
    /// - Parameters:
    ///   - sequence: the packet's sequence, authenticated.
    ///   - distance: to the sequence of the flow's previous packet; 0 if there is none.
    ///   - hold: how long it may wait, if its class is ordered; bounded by `longestHold`.
    ///   - repair: how long it may wait for a predecessor that is known to be lost.
    ///   - wait: how long it is kept even if it is in order, unless a successor is there already.
    ///   - mayHold: whether one more may wait. If not, the two oldest waiting packets are let go for it, or
    ///     it does not wait.
    public mutating func accept(
        _ slot: Slot, sequence: UInt64, distance: UInt16, trafficClass: TrafficClass, hold: Interval,
        repair: Interval = .zero, wait: Interval = .zero, mayHold: Bool = true, now: Instant,
        pool: inout PacketPool
    ) -> Verdict {
        // No honest peer comes near 2⁶²: refusing more keeps arithmetic on sequences from overflowing.
        if sequence < received.bottom || sequence >= 1 << 62 {
            counters.stale += 1
            return .stale
        }
        if received.contains(sequence) {
            counters.duplicates += 1
            return .duplicate
        }
        received.insert(sequence)
        followRate(now: now)
        var due = wait > .zero ? Self.stepEnd(now + wait) : now
        if let successor = waiting.find(waitingFor: sequence) {
            longestNeeded = max(longestNeeded, now - successor.since)
            due = min(due, successor.due)
        }
        if settled.contains(sequence) {
            counters.late += 1
            let known = givenUp[Int(sequence & 63)]
            if known.sequence == sequence { longestNeeded = max(longestNeeded, now - known.since) }
            due = now
        }
        // The session's first packets have no sequence below 0 to wait for.
        guard distance > 0, UInt64(distance) <= sequence, trafficClass.isOrdered else {
            deliver(slot, sequence: sequence, now: now, pool: &pool)
            return .delivered
        }
        let predecessor = sequence - UInt64(distance)
        let isLost = predecessor < floor && !received.contains(predecessor)
        var hasRoom = mayHold && waiting.count < waiting.bound
        if !hasRoom && !isSettled(predecessor, mayCome: repair > .zero) {
            hasRoom = makeRoom(mayHold ? 1 : 2, now: now, pool: &pool)
        }
        let isInOrder = isSettled(predecessor, mayCome: repair > .zero)
        if isInOrder && due <= now {
            deliver(slot, sequence: sequence, now: now, pool: &pool)
            return .delivered
        }
        let longest = now + min(max(isLost ? min(hold, repair) : hold, .zero), Self.longestHold)
        let held = HeldPackets.Held(
            predecessor: predecessor, sequence: sequence, since: now, due: due,
            deadline: isInOrder ? due : max(longest, due), slot: slot)
        guard hasRoom, waiting.insert(held) else {
            deliver(slot, sequence: sequence, now: now, pool: &pool)
            return .delivered
        }
        counters.held += 1
        return .held
    }

    /// Every live path has passed all sequences below `newFloor`: those still missing were lost, and their
    /// successors wait only for the repair, which takes `repair`.
    public mutating func prove(
        lostBelow newFloor: UInt64, repair: Interval = .zero, now: Instant, pool: inout PacketPool
    ) {
        guard newFloor > floor else { return }
        // It is unknown which sequences below the window arrived: packets that wait for them wait until their
        // deadline.
        let first = max(floor, received.bottom)
        floor = newFloor
        let end = min(newFloor, received.top)
        // 64 sequences at a time, because a peer may skip as many as it likes with each packet.
        var base = first & ~63
        while base < end && waiting.count > 0 {
            examined += 1
            var missing = waiting.awaited(around: base) & ~received.word(of: base)
            if base < first { missing &= .max << (first - base) }
            if end - base < 64 { missing &= 1 << (end - base) - 1 }
            while missing != 0 {
                giveUp(base + UInt64(missing.trailingZeroBitCount), repair: repair, now: now, pool: &pool)
                missing &= missing - 1
            }
            base += 64
        }
    }

    /// Lets the packet that waits for the lost `sequence` wait only for its repair.
    private mutating func giveUp(
        _ sequence: UInt64, repair: Interval, now: Instant, pool: inout PacketPool
    ) {
        if waiting.find(waitingFor: sequence) == nil {
            waiting.disregard(sequence)
        } else if repair > .zero {
            waiting.hasten(waitingFor: sequence, to: now + repair)
        } else if let held = waiting.remove(waitingFor: sequence) {
            counters.proven += 1
            giveUpAndDeliver(held, now: now, pool: &pool)
        }
    }

    /// Delivers packets that have waited long enough.
    public mutating func expire(now: Instant, pool: inout PacketPool) {
        while let held = waiting.removeDue(now) { expire(held, now: now, pool: &pool) }
    }

    /// The longest time that a packet had to wait, or should have waited, for a predecessor that arrived
    /// since the last call: the hold that the paths require. Zero if none arrived after its successor.
    public mutating func takeNeededHold() -> Interval {
        let needed = longestNeeded
        longestNeeded = .zero
        return needed
    }

    /// When the next packet has waited long enough; `.never` if none waits.
    public mutating func nextDeadline() -> Instant { waiting.nextDeadline() }

    /// Takes the next packet to write to the TUN device; `nil` if there is none. The caller owns the slot.
    public mutating func popReady(pool: borrowing PacketPool) -> Slot? {
        let slot = ready.first
        guard slot != .none else { return nil }
        ready.removeFirst(length: pool.length(of: slot))
        return slot
    }

    /// Releases memory after no packet has arrived for long enough that none can be in flight. One that still
    /// arrives counts as a copy or as stale.
    public mutating func shrink() {
        guard waiting.count == 0 else { return }
        waiting.shrink()
        ready.shrink()
        received.forget()
        settled.forget()
    }

    /// Releases every slot.
    public mutating func removeAll(pool: inout PacketPool) {
        waiting.removeAll(pool: &pool)
        while let slot = popReady(pool: pool) { pool.release(slot) }
    }

    /// Lets the oldest `packets` waiting packets go; returns false if fewer wait.
    private mutating func makeRoom(_ packets: Int, now: Instant, pool: inout PacketPool) -> Bool {
        for _ in 0..<packets {
            guard let oldest = waiting.removeDue(.latest) else { return false }
            expire(oldest, now: now, pool: &pool)
        }
        return true
    }

    /// Grows the windows until they cover at least half a second, up to their limit: as long as a packet
    /// waits or a repair takes.
    private mutating func followRate(now: Instant) {
        guard received.top >= measuredTop + received.span / 2 else { return }
        if now - measuredAt < .milliseconds(250) && received.span < SequenceBits.longest {
            received.grow()
            settled.grow()
            waiting.growWindow()
        }
        measuredTop = received.top
        measuredAt = now
    }

    /// Whether successors of `predecessor` need not wait for it.
    private mutating func isSettled(_ predecessor: UInt64, mayCome: Bool) -> Bool {
        if settled.contains(predecessor) { return true }
        guard !mayCome && predecessor < floor && !received.contains(predecessor) else { return false }
        counters.proven += 1
        settled.insert(predecessor)
        return true
    }

    /// Delivers a packet that has waited long enough, for its predecessor or, if that was delivered, for its time.
    private mutating func expire(_ held: HeldPackets.Held, now: Instant, pool: inout PacketPool) {
        guard !settled.contains(held.predecessor) else {
            deliver(held.slot, sequence: held.sequence, now: now, pool: &pool)
            return
        }
        counters.expired += 1
        givenUp[Int(held.predecessor & 63)] = GivenUp(sequence: held.predecessor, since: held.since)
        giveUpAndDeliver(held, now: now, pool: &pool)
    }

    /// Settles the predecessor that did not arrive, then delivers the packet that waited for it.
    private mutating func giveUpAndDeliver(_ held: HeldPackets.Held, now: Instant, pool: inout PacketPool) {
        settled.insert(held.predecessor)
        deliver(held.slot, sequence: held.sequence, now: now, pool: &pool)
    }

    /// Delivers a packet and every packet that waited for it and need not be kept any longer.
    private mutating func deliver(_ slot: Slot, sequence: UInt64, now: Instant, pool: inout PacketPool) {
        var slot = slot
        var sequence = sequence
        while true {
            settled.insert(sequence)
            if !ready.append(slot, length: pool.length(of: slot)) { pool.release(slot) }
            guard let next = waiting.find(waitingFor: sequence) else { return }
            if next.due > now {
                waiting.hasten(waitingFor: sequence, to: next.due)
                return
            }
            _ = waiting.remove(waitingFor: sequence)
            slot = next.slot
            sequence = next.sequence
        }
    }

    /// The end of the step that contains `time`.
    private static func stepEnd(_ time: Instant) -> Instant {
        let step = UInt64(step.nanoseconds)
        return Instant(nanoseconds: (time.nanoseconds / step + 1) * step)
    }
}
