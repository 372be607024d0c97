import Packet

/// The packets that wait for their flow's predecessor, found by the predecessor's sequence, by their own and by deadline.
///
/// A ring indexed by the predecessor's sequence: within a flow each packet has one successor, so no two wait for the
/// same. A second ring, indexed by a packet's own sequence, leads from it back to those before it. Both double when two
/// packets want one place, up to the window of sequences and within what so many packets are worth: whoever has two wait
/// whose predecessors lie far apart must not be given megabytes for it.
struct HeldPackets: ~Copyable {
    /// One packet that waits.
    struct Held: Sendable {
        /// The sequence that it waits for.
        var predecessor: UInt64 = .max
        /// Its own sequence.
        var sequence: UInt64 = 0
        /// When it came.
        var since = Instant.zero
        /// When it is delivered, come what may.
        var deadline = Instant.never
        /// The packet.
        var slot = Slot.none
    }

    /// How many packets wait.
    private(set) var count = 0
    /// The most that may wait.
    let bound: Int
    /// So many places are made for any packets, and so many for each of many, 48 bytes each: those of a slow path are one in dozens.
    private static let fewPlaces = 1024
    private static let placesEach = 32

    private var ring: UnsafeMutablePointer<Held>
    /// At the place of a waiting packet's own sequence, the one that it waits for; `.max`: none.
    private var origins: UnsafeMutablePointer<UInt64>
    private var capacity = 64
    /// Which sequences are waited for.
    private var awaited = SequenceBits()
    private var deadlines = DeadlineHeap()

    init(bound: Int) {
        self.bound = bound
        ring = .allocate(capacity: capacity)
        ring.initialize(repeating: Held(), count: capacity)
        origins = .allocate(capacity: capacity)
        origins.initialize(repeating: .max, count: capacity)
    }

    deinit {
        ring.deallocate()
        origins.deallocate()
    }

    private func place(_ predecessor: UInt64) -> UnsafeMutablePointer<Held> {
        ring + Int(truncatingIfNeeded: predecessor & UInt64(capacity - 1))
    }

    private func origin(_ sequence: UInt64) -> UnsafeMutablePointer<UInt64> {
        origins + Int(truncatingIfNeeded: sequence & UInt64(capacity - 1))
    }

    /// Keeps a packet; false when there is no room, or when another packet waits for the same predecessor.
    mutating func insert(_ packet: Held) -> Bool {
        guard count < bound else { return false }
        while place(packet.predecessor).pointee.slot != .none || origin(packet.sequence).pointee != .max {
            if place(packet.predecessor).pointee.predecessor == packet.predecessor || !grow() { return false }
        }
        guard deadlines.insert(.init(deadline: packet.deadline, predecessor: packet.predecessor)) else {
            return false
        }
        place(packet.predecessor).pointee = packet
        origin(packet.sequence).pointee = packet.predecessor
        awaited.insert(packet.predecessor)
        count += 1
        return true
    }

    /// The packet that waits for `predecessor`; nil when none does.
    func find(waitingFor predecessor: UInt64) -> Held? {
        let held = place(predecessor).pointee
        return held.predecessor == predecessor && held.slot != .none ? held : nil
    }

    /// Which of the 64 sequences around `sequence` are waited for, the lowest one's bit first; some bits may stand for sequences that lie
    /// a window away.
    func awaited(around sequence: UInt64) -> UInt64 { awaited.word(of: sequence) }

    /// Follows a window of sequences that has become longer.
    mutating func follow(_ window: borrowing SequenceWindow) {
        awaited.grow(keeping: 0..<0)
        for i in 0..<capacity where ring[i].slot != .none { awaited.insert(ring[i].predecessor) }
    }

    /// Takes out the packet that waits for `predecessor`; nil when none does.
    mutating func remove(waitingFor predecessor: UInt64) -> Held? {
        guard let held = find(waitingFor: predecessor) else { return nil }
        place(predecessor).pointee = Held()
        origin(held.sequence).pointee = .max
        awaited.remove(predecessor)
        count -= 1
        return held
    }

    /// Has the packet that waits for `predecessor` wait no longer than until `deadline`.
    mutating func hasten(waitingFor predecessor: UInt64, to deadline: Instant) {
        guard let held = find(waitingFor: predecessor), deadline < held.deadline else { return }
        // The later entry stays in the heap, and means nothing once this one is due.
        if deadlines.insert(.init(deadline: deadline, predecessor: predecessor)) {
            place(predecessor).pointee.deadline = deadline
        }
    }

    /// The earliest deadline of a waiting packet; `.never` when none waits.
    mutating func nextDeadline() -> Instant {
        while let first = deadlines.first {
            if find(waitingFor: first.predecessor) != nil { return first.deadline }
            deadlines.removeFirst()
        }
        return .never
    }

    /// Takes out the packet whose deadline is the earliest and not after `now`, or rather the first of those that wait
    /// here in a row before it: they must leave ahead of it, even if their own deadlines are later. Nil when none is due.
    mutating func removeDue(_ now: Instant) -> Held? {
        guard nextDeadline() <= now, let first = deadlines.first else { return nil }
        var awaited = first.predecessor
        while true {
            let earlier = origin(awaited).pointee
            guard earlier != .max, place(earlier).pointee.sequence == awaited else { break }
            awaited = earlier
        }
        return remove(waitingFor: awaited)
    }

    private mutating func grow() -> Bool {
        guard capacity < max(Self.fewPlaces, min((count + 1) * Self.placesEach, Int(awaited.span))) else {
            return false
        }
        let larger = UnsafeMutablePointer<Held>.allocate(capacity: capacity * 2)
        larger.initialize(repeating: Held(), count: capacity * 2)
        let largerOrigins = UnsafeMutablePointer<UInt64>.allocate(capacity: capacity * 2)
        largerOrigins.initialize(repeating: .max, count: capacity * 2)
        let mask = UInt64(capacity * 2 - 1)
        for i in 0..<capacity where ring[i].slot != .none {
            larger[Int(ring[i].predecessor & mask)] = ring[i]
            largerOrigins[Int(ring[i].sequence & mask)] = ring[i].predecessor
        }
        ring.deallocate()
        origins.deallocate()
        ring = larger
        origins = largerOrigins
        capacity *= 2
        return true
    }

    /// Gives memory back when nothing waits.
    mutating func shrink() {
        if count == 0 { self = HeldPackets(bound: bound) }
    }

    /// Gives all packets back to the pool.
    mutating func removeAll(pool: inout PacketPool) {
        for i in 0..<capacity where ring[i].slot != .none {
            pool.release(ring[i].slot)
            origin(ring[i].sequence).pointee = .max
            ring[i] = Held()
        }
        awaited.forget()
        count = 0
    }
}
