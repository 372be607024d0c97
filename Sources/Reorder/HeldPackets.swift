import Packet

/// The packets that wait for their flow's predecessor, found by the predecessor's sequence, by their own and
/// by deadline.
///
/// Within a flow each packet has one successor, so no two packets wait for the same one. Two tables of chains
/// lead to a packet: by the sequence it waits for, and by its own, to find the packets before it in a row.
/// Tables and packets double together, so memory follows the number of packets, wherever in the window their
/// sequences lie.
struct HeldPackets: ~Copyable {
    /// A waiting packet.
    struct Held: Sendable {
        /// The sequence it waits for.
        var predecessor: UInt64 = .max
        /// Its own sequence.
        var sequence: UInt64 = 0
        /// When it arrived.
        var since = Instant.zero
        /// When it may be delivered if its predecessor was.
        var due = Instant.zero
        /// When it is delivered at the latest.
        var deadline = Instant.never
        /// The packet.
        var slot = Slot.none
    }

    private struct Node {
        var held = Held()
        /// The next free node of a free node, or -1.
        var next: Int32 = -1
    }

    /// Number of waiting packets.
    private(set) var count = 0
    /// Maximum number of waiting packets.
    let bound: Int

    private static let smallest = 64
    private var capacity = Self.smallest
    private var nodes: UnsafeMutablePointer<Node>
    /// The nodes by the predecessor's sequence, and by the packet's own.
    private var byPredecessor = HashChains(capacity: Self.smallest)
    private var bySequence = HashChains(capacity: Self.smallest)
    private var free: Int32 = -1
    private var deadlines = DeadlineHeap()
    /// The awaited sequences that lie within the window. A bit too many does no harm.
    private var awaited = SequenceBits()
    private var highestAwaited: UInt64 = 0

    init(bound: Int) {
        self.bound = bound
        nodes = .allocate(capacity: capacity)
        nodes.initialize(repeating: Node(), count: capacity)
        link()
    }

    deinit { nodes.deallocate() }

    /// The node of the packet that waits for `predecessor`, or -1.
    private func node(waitingFor predecessor: UInt64) -> Int {
        guard count > 0 else { return -1 }
        var index = byPredecessor.first(predecessor)
        while index >= 0 && nodes[Int(index)].held.predecessor != predecessor {
            index = byPredecessor.next(index)
        }
        return Int(index)
    }

    /// The node of the packet with `sequence`, or -1.
    private func node(of sequence: UInt64) -> Int {
        var index = bySequence.first(sequence)
        while index >= 0 && nodes[Int(index)].held.sequence != sequence { index = bySequence.next(index) }
        return Int(index)
    }

    /// Keeps a packet; returns false if there is no room or another packet waits for the same predecessor.
    mutating func insert(_ packet: Held) -> Bool {
        guard count < bound, node(waitingFor: packet.predecessor) < 0,
            !byPredecessor.isCrowded(packet.predecessor), !bySequence.isCrowded(packet.sequence)
        else { return false }
        guard deadlines.insert(.init(deadline: packet.deadline, predecessor: packet.predecessor)) else {
            return false
        }
        if free < 0 { grow() }
        let index = free
        free = nodes[Int(index)].next
        nodes[Int(index)].held = packet
        chain(index)
        awaited.insert(packet.predecessor)
        highestAwaited = max(highestAwaited, packet.predecessor)
        count += 1
        return true
    }

    /// The packet that waits for `predecessor`; `nil` if none does.
    func find(waitingFor predecessor: UInt64) -> Held? {
        let index = node(waitingFor: predecessor)
        return index < 0 ? nil : nodes[index].held
    }

    /// Which of the 64 sequences around `sequence` are awaited, the lowest one's bit first. Some bits may
    /// stand for other sequences.
    func awaited(around sequence: UInt64) -> UInt64 { awaited.word(of: sequence) }

    /// Clears the bit of `sequence`, for which no packet waits.
    func disregard(_ sequence: UInt64) { awaited.remove(sequence) }

    /// Follows the window of sequences, which has grown.
    mutating func growWindow() {
        awaited.grow(keeping: 0..<0)
        for i in 0..<capacity where nodes[i].held.slot != .none { awaited.insert(nodes[i].held.predecessor) }
    }

    /// Removes the packet that waits for `predecessor`; `nil` if none does.
    mutating func remove(waitingFor predecessor: UInt64) -> Held? {
        let index = Int32(node(waitingFor: predecessor))
        guard index >= 0 else { return nil }
        let held = nodes[Int(index)].held
        byPredecessor.remove(index, held.predecessor)
        bySequence.remove(index, held.sequence)
        nodes[Int(index)] = Node(next: free)
        free = index
        // A bit that by now stands for a later sequence stays.
        if highestAwaited - predecessor < awaited.span { awaited.remove(predecessor) }
        count -= 1
        return held
    }

    /// Moves the deadline of the packet that waits for `predecessor` forward to `deadline`, unless it is
    /// earlier already.
    mutating func hasten(waitingFor predecessor: UInt64, to deadline: Instant) {
        let index = node(waitingFor: predecessor)
        guard index >= 0, deadline < nodes[index].held.deadline else { return }
        // The later entry stays in the heap, and has no effect once this one is due.
        if deadlines.insert(.init(deadline: deadline, predecessor: predecessor)) {
            nodes[index].held.deadline = deadline
        }
    }

    /// The earliest deadline of a waiting packet; `.never` if none waits.
    mutating func nextDeadline() -> Instant {
        while let first = deadlines.first {
            if node(waitingFor: first.predecessor) >= 0 { return first.deadline }
            deadlines.removeFirst()
        }
        return .never
    }

    /// Removes the packet with the earliest deadline if that is not after `now`, or rather the first of the
    /// packets that wait in a row before it: they must leave ahead of it, even if their own deadlines are
    /// later. `nil` if none is due.
    mutating func removeDue(_ now: Instant) -> Held? {
        guard nextDeadline() <= now, let first = deadlines.first else { return nil }
        var awaited = first.predecessor
        while true {
            let earlier = node(of: awaited)
            guard earlier >= 0 else { break }
            awaited = nodes[earlier].held.predecessor
        }
        return remove(waitingFor: awaited)
    }

    // MARK: - Chains

    private mutating func chain(_ index: Int32) {
        byPredecessor.insert(index, nodes[Int(index)].held.predecessor)
        bySequence.insert(index, nodes[Int(index)].held.sequence)
    }

    /// Links all nodes into their chains, which are empty, and the free nodes into the free list.
    private mutating func link() {
        free = -1
        for i in (0..<capacity).reversed() {
            if nodes[i].held.slot != .none {
                chain(Int32(i))
            } else {
                nodes[i].next = free
                free = Int32(i)
            }
        }
    }

    private mutating func grow() {
        let larger = UnsafeMutablePointer<Node>.allocate(capacity: capacity * 2)
        larger.moveInitialize(from: nodes, count: capacity)
        (larger + capacity).initialize(repeating: Node(), count: capacity)
        nodes.deallocate()
        nodes = larger
        capacity *= 2
        byPredecessor = HashChains(capacity: capacity)
        bySequence = HashChains(capacity: capacity)
        link()
    }

    /// Releases memory if no packet waits.
    mutating func shrink() {
        if count == 0 { self = HeldPackets(bound: bound) }
    }

    /// Returns all packets to the pool.
    mutating func removeAll(pool: inout PacketPool) {
        for i in 0..<capacity where nodes[i].held.slot != .none { pool.release(nodes[i].held.slot) }
        self = HeldPackets(bound: bound)
    }
}
