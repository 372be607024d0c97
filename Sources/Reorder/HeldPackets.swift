import Packet

/// The packets that wait for their flow's predecessor, found by the predecessor's sequence and by deadline.
///
/// A ring indexed by the predecessor's sequence: within a flow each packet has one successor, so no two wait for the
/// same. The ring doubles when two predecessors want one place, up to the window of sequences.
struct HeldPackets: ~Copyable {
    /// One packet that waits.
    struct Held: Sendable {
        /// The sequence that it waits for.
        var predecessor: UInt64 = .max
        /// Its own sequence.
        var sequence: UInt64 = 0
        /// When it is delivered, come what may.
        var deadline = Instant.never
        /// The packet.
        var slot = Slot.none
    }

    /// How many packets wait.
    private(set) var count = 0
    /// The most that may wait.
    let bound: Int

    private var ring: UnsafeMutablePointer<Held>
    private var capacity = 64
    private var deadlines = DeadlineHeap()

    init(bound: Int) {
        self.bound = bound
        ring = .allocate(capacity: capacity)
        ring.initialize(repeating: Held(), count: capacity)
    }

    deinit { ring.deallocate() }

    private func place(_ predecessor: UInt64) -> UnsafeMutablePointer<Held> {
        ring + Int(truncatingIfNeeded: predecessor & UInt64(capacity - 1))
    }

    /// Keeps a packet; false when there is no room, or when another packet waits for the same predecessor.
    ///
    /// A packet whose own successor waits already takes over that one's deadline if it is earlier, so that the two
    /// leave in order when it comes.
    mutating func insert(_ packet: Held) -> Bool {
        guard count < bound else { return false }
        while place(packet.predecessor).pointee.slot != .none {
            if place(packet.predecessor).pointee.predecessor == packet.predecessor || !grow() { return false }
        }
        var packet = packet
        let successor = place(packet.sequence).pointee
        if successor.slot != .none && successor.predecessor == packet.sequence {
            packet.deadline = min(packet.deadline, successor.deadline - Interval(nanoseconds: 1))
        }
        guard deadlines.insert(.init(deadline: packet.deadline, predecessor: packet.predecessor)) else {
            return false
        }
        place(packet.predecessor).pointee = packet
        count += 1
        return true
    }

    /// Takes out the packet that waits for `predecessor`; nil when none does.
    mutating func remove(waitingFor predecessor: UInt64) -> Held? {
        let place = place(predecessor)
        guard place.pointee.predecessor == predecessor, place.pointee.slot != .none else { return nil }
        let held = place.pointee
        place.pointee = Held()
        count -= 1
        return held
    }

    /// The earliest deadline of a waiting packet; `.never` when none waits.
    mutating func nextDeadline() -> Instant {
        while let first = deadlines.first {
            let place = place(first.predecessor).pointee
            if place.predecessor == first.predecessor && place.slot != .none { return first.deadline }
            deadlines.removeFirst()
        }
        return .never
    }

    /// Takes out the packet whose deadline is the earliest and not after `now`; nil when there is none.
    mutating func removeDue(_ now: Instant) -> Held? {
        guard nextDeadline() <= now, let first = deadlines.first else { return nil }
        deadlines.removeFirst()
        return remove(waitingFor: first.predecessor)
    }

    private mutating func grow() -> Bool {
        guard capacity < Int(SequenceWindow.span) else { return false }
        let larger = UnsafeMutablePointer<Held>.allocate(capacity: capacity * 2)
        larger.initialize(repeating: Held(), count: capacity * 2)
        for i in 0..<capacity where ring[i].slot != .none {
            larger[Int(ring[i].predecessor & UInt64(capacity * 2 - 1))] = ring[i]
        }
        ring.deallocate()
        ring = larger
        capacity *= 2
        return true
    }

    /// Gives all packets back to the pool.
    mutating func removeAll(pool: inout PacketPool) {
        for i in 0..<capacity where ring[i].slot != .none {
            pool.release(ring[i].slot)
            ring[i] = Held()
        }
        count = 0
    }
}
