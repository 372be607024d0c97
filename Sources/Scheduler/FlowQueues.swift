import Packet

/// The one queue before all paths: a queue for each flow, served in turn, with CoDel keeping each of them
/// short (FQ-CoDel, RFC 8290).
///
/// A flow is a bucket of its hash. A flow that sends less than its share is served before those with a
/// backlog, so that a ping does not queue behind bulk traffic. Packets are chained through their notes, so
/// nothing is allocated per packet.
public struct FlowQueues: ~Copyable {
    /// Number of buckets unless stated otherwise (RFC 8290 section 5.2.4).
    public static let buckets = 1024
    /// Bytes that a flow may send per turn: one full packet.
    static let quantum = 1514
    /// Number of packets that one overflow drops, so that the search for the longest queue is not repeated
    /// for each packet (RFC 8290 section 4.1).
    static let overflowBatch = 64
    /// A flow that sends fewer packets than this in a tenth of a second (200 a second) is slow.
    static let slowCount: UInt16 = 20
    /// A flow that sends more than this in a tenth of a second (500 packets a second) is not sparse, even if
    /// there is room for all of it.
    static let sparseCount: UInt16 = 50

    /// Number of buckets, a power of two.
    private let bucketCount: Int
    /// Packets waiting.
    public private(set) var count = 0
    /// Bytes waiting.
    public private(set) var bytes = 0
    /// Packets dropped because of a standing queue in their flow.
    public private(set) var dropped: UInt64 = 0
    /// Packets marked instead of dropped, because their flow supports ECN (RFC 3168).
    public private(set) var marked: UInt64 = 0

    private struct Flow {
        var head = Slot.none
        var tail = Slot.none
        var bytes: Int32 = 0
        var deficit: Int32 = 0
        var next = UInt16.max
        var place = Place.none
        var codel = CoDel()
        var windowStart = Instant.zero
        var arrivals: UInt16 = 0
        var arrivalsBefore: UInt16 = 0

        mutating func noteArrival(_ now: Instant) {
            let age = now - windowStart
            if age >= .milliseconds(100) {
                arrivalsBefore = age < .milliseconds(200) ? arrivals : 0
                arrivals = 0
                windowStart = now
            }
            if arrivals < .max { arrivals += 1 }
        }

        var recentArrivals: UInt16 { max(arrivals, arrivalsBefore) }
    }

    private enum Place: UInt8 {
        case none
        case fresh
        case old
    }

    private struct Chain {
        var head = UInt16.max
        var tail = UInt16.max
    }

    /// Allocated with the first packet: a session that has always been idle has none.
    private var flows: UnsafeMutablePointer<Flow>?
    private var fresh = Chain()
    private var old = Chain()

    /// Empty queues.
    /// - Precondition: `buckets` is a power of two, and at most 1024.
    public init(buckets: Int = buckets) {
        precondition(buckets > 0 && buckets <= Self.buckets && buckets & (buckets - 1) == 0)
        bucketCount = buckets
    }

    deinit { flows?.deallocate() }

    /// Whether no packet waits.
    public var isEmpty: Bool { count == 0 }

    /// Appends a packet of `length` bytes, whose note has just been written, to its flow's queue.
    public mutating func append(_ slot: Slot, length: Int, now: Instant, notes: borrowing PacketNotes) {
        let index = bucket(of: notes[slot].flow)
        let flow = (flows ?? makeFlows()) + index
        if flow.pointee.tail == .none {
            flow.pointee.head = slot
        } else {
            notes.chain(slot, behind: flow.pointee.tail)
        }
        flow.pointee.tail = slot
        flow.pointee.bytes += Int32(truncatingIfNeeded: length)
        flow.pointee.noteArrival(now)
        count += 1
        bytes += length
        guard flow.pointee.place == .none else { return }
        flow.pointee.deficit = Int32(Self.quantum)
        push(UInt16(index), to: .fresh)
    }

    /// The packet whose turn it is, or `Slot.none`. Packets before it that have waited too long are dropped,
    /// or marked if the flow supports ECN. The result stays the same until `removeFirst`, a new flow or time
    /// changes it.
    /// - Parameter limits: CoDel's limits for a bulk flow's queue.
    public mutating func first(
        _ limits: CoDel.Limits, now: Instant, pool: inout PacketPool, notes: borrowing PacketNotes
    ) -> Slot {
        guard let flows else { return .none }
        while true {
            let index = fresh.head != .max ? fresh.head : old.head
            guard index != .max else { return .none }
            let flow = flows + Int(index)
            if flow.pointee.deficit <= 0 {
                flow.pointee.deficit += Int32(Self.quantum)
                popFirst()
                push(index, to: .old)
                continue
            }
            while flow.pointee.head != .none {
                let slot = flow.pointee.head
                let sojourn = now - notes[slot].entered
                if notes[slot].trafficClass == .scalable, sojourn > limits.step,
                    flow.pointee.bytes > CoDel.smallQueue
                {
                    markScalable(pool.packet(in: slot))
                    return slot
                }
                guard
                    flow.pointee.codel.condemns(
                        sojourn, bytes: Int(flow.pointee.bytes), limits, now: now)
                else { return slot }
                if InnerPacket.markCongestion(in: pool.packet(in: slot)) {
                    marked += 1
                    return slot
                }
                dropped += 1
                unlinkFirst(flow, length: pool.length(of: slot), notes: notes)
                pool.release(slot)
            }
            let wasFresh = flow.pointee.place == .fresh
            popFirst()
            // An empty flow passes through the old ones, otherwise it would be new again at once (RFC 8290
            // section 4.2).
            if wasFresh && old.head != .max { push(index, to: .old) }
        }
    }

    /// Marks a packet of a scalable flow (RFC 9331) as a queue with a step threshold does, whatever CoDel decides:
    /// such a sender reduces its rate by the share of marked packets (RFC 9332 section 2.5.1, RFC 8257 section 3).
    private mutating func markScalable(_ packet: UnsafeMutableRawBufferPointer) {
        if InnerPacket.ecn(of: packet) == InnerPacket.ect1, InnerPacket.markCongestion(in: packet) {
            marked += 1
        }
    }

    /// Whether the flow of the packet whose turn it is sends less than its share and little in all: urgent
    /// traffic must leave room for it.
    public var isFirstSparse: Bool { fresh.head != .max && sendsFewer(than: Self.sparseCount) }

    /// Whether the flow of the packet whose turn it is sends fewer than 200 packets a second.
    public var isFirstSlow: Bool { sendsFewer(than: Self.slowCount) }

    private func sendsFewer(than limit: UInt16) -> Bool {
        let index = fresh.head != .max ? fresh.head : old.head
        guard let flows, index != .max else { return false }
        return flows[Int(index)].recentArrivals < limit
    }

    /// Removes the packet that `first` returned, which has `length` bytes.
    public mutating func removeFirst(length: Int, notes: borrowing PacketNotes) {
        let index = fresh.head != .max ? fresh.head : old.head
        guard let flows, index != .max else { return }
        let flow = flows + Int(index)
        flow.pointee.deficit -= Int32(truncatingIfNeeded: length)
        unlinkFirst(flow, length: length, notes: notes)
    }

    /// Skips the flow whose turn it is: the packet that `first` returned stays and waits for the flow's next
    /// turn.
    public mutating func postponeFirst() {
        let index = fresh.head != .max ? fresh.head : old.head
        guard index != .max else { return }
        popFirst()
        push(index, to: .old)
    }

    /// Charges `length` bytes spent on repairs to the flows that have had their turn. Otherwise no turn would
    /// end while there are many repairs, and sparse flows would wait for the end of a bulk flow's turn.
    public mutating func charge(_ length: Int) {
        guard let flows else { return }
        while fresh.head == .max, old.head != .max {
            let index = old.head
            let flow = flows + Int(index)
            guard flow.pointee.head != .none else {
                popFirst()
                continue
            }
            flow.pointee.deficit -= Int32(truncatingIfNeeded: length)
            if flow.pointee.deficit <= 0 {
                flow.pointee.deficit += Int32(Self.quantum)
                popFirst()
                push(index, to: .old)
            }
            return
        }
    }

    /// Makes room when the queue is at its limit: drops from the head of the longest flow's queue.
    /// - Returns: how many packets were dropped.
    public mutating func dropFromLongest(pool: inout PacketPool, notes: borrowing PacketNotes) -> Int {
        guard let flows else { return 0 }
        var longest = 0
        for i in 1..<bucketCount where flows[i].bytes > flows[longest].bytes { longest = i }
        let flow = flows + longest
        let enough = flow.pointee.bytes / 2
        var done = 0
        while flow.pointee.head != .none && done < Self.overflowBatch && flow.pointee.bytes > enough {
            let slot = flow.pointee.head
            unlinkFirst(flow, length: pool.length(of: slot), notes: notes)
            pool.release(slot)
            done += 1
        }
        return done
    }

    /// Releases all packets.
    public mutating func removeAll(pool: inout PacketPool, notes: borrowing PacketNotes) {
        guard let flows else { return }
        for i in 0..<bucketCount {
            while flows[i].head != .none {
                let slot = flows[i].head
                unlinkFirst(flows + i, length: pool.length(of: slot), notes: notes)
                pool.release(slot)
            }
        }
    }

    /// Releases memory if no packet waits.
    public mutating func shrink() {
        guard isEmpty, let made = flows else { return }
        made.deallocate()
        flows = nil
        fresh = Chain()
        old = Chain()
    }

    private func bucket(of flow: UInt32) -> Int { Int(flow) & (bucketCount - 1) }

    private mutating func unlinkFirst(
        _ flow: UnsafeMutablePointer<Flow>, length: Int, notes: borrowing PacketNotes
    ) {
        flow.pointee.head = notes[flow.pointee.head].next
        if flow.pointee.head == .none { flow.pointee.tail = .none }
        flow.pointee.bytes -= Int32(truncatingIfNeeded: length)
        count -= 1
        bytes -= length
    }

    /// Removes the flow whose turn it is from its chain.
    private mutating func popFirst() {
        guard let flows else { return }
        let isFresh = fresh.head != .max
        let index = isFresh ? fresh.head : old.head
        let next = flows[Int(index)].next
        flows[Int(index)].next = .max
        flows[Int(index)].place = .none
        if isFresh {
            fresh.head = next
            if next == .max { fresh.tail = .max }
        } else {
            old.head = next
            if next == .max { old.tail = .max }
        }
    }

    private mutating func push(_ index: UInt16, to place: Place) {
        guard let flows else { return }
        flows[Int(index)].place = place
        let tail = place == .fresh ? fresh.tail : old.tail
        if tail != .max { flows[Int(tail)].next = index }
        if place == .fresh {
            if tail == .max { fresh.head = index }
            fresh.tail = index
        } else {
            if tail == .max { old.head = index }
            old.tail = index
        }
    }

    private mutating func makeFlows() -> UnsafeMutablePointer<Flow> {
        let made = UnsafeMutablePointer<Flow>.allocate(capacity: bucketCount)
        made.initialize(repeating: Flow(), count: bucketCount)
        flows = made
        return made
    }
}
