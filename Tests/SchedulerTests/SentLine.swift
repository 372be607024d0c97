import Packet
import Scheduler

/// A path's sent packets of 100 bytes each, with its own pool and notes.
final class SentLine {
    var pool: PacketPool
    var now = Instant(nanoseconds: 10_000_000_000)
    private let notes: PacketNotes
    private var sent = SentPackets()
    private var slots: [UInt64: Slot] = [:]
    private var lost = SlotQueue(bound: 65536)
    /// The sequences returned as lost and still needed.
    private(set) var lostSequences: [UInt64] = []
    /// How long the path may delay earlier packets.
    var reordering = Interval.seconds(10)

    init(capacity: Int = 8192) {
        pool = PacketPool(capacity: capacity)
        notes = PacketNotes(capacity: capacity)
    }

    var bytesInFlight: Int { sent.bytesInFlight }
    var held: Int { sent.held }
    /// The number of datagrams examined by the last `surrender`.
    private(set) var lookedAt = 0
    var oldestUnanswered: Instant? { sent.oldestUnanswered() }

    /// Sends one and returns its number.
    @discardableResult
    func send(eliciting: Bool = true, starved: Bool = false, slot hasSlot: Bool? = nil) -> UInt64 {
        var slot = Slot.none
        if hasSlot ?? eliciting {
            slot = pool.reserve()
            precondition(slot != .none, "the pool is empty: slots were lost")
            pool.setLength(100, of: slot)
            var note = PacketNotes.Note()
            note.sequence = sent.next
            notes[slot] = note
            slots[sent.next] = slot
        }
        sent.append(slot: slot, size: 100, eliciting: eliciting, starved: starved, now: now, pool: &pool)
        return sent.next - 1
    }

    func shrink() { sent.shrink() }
    func departure(of number: UInt64) -> Instant? { sent.departure(of: number) }

    var next: UInt64 { sent.next }
    var isFull: Bool { sent.isFull }
    var isSkipDue: Bool { sent.isSkipDue }
    var runChoices: UInt64 { sent.runChoices }
    /// Skips a number if that is due; the next run is as short as possible.
    func skip() { sent.skip(draw: 0, pool: &pool) }

    /// Handles an ACK for these numbers, of which the largest is the highest.
    /// - Parameter closesBelow: see `SentPackets.acknowledge`.
    func acknowledge(_ numbers: [UInt64], closesBelow: Bool = true) -> SentPackets.News? {
        let map = AckMap(of: numbers)
        let news = sent.acknowledge(
            map, reordering: reordering, closesBelow: closesBelow, lost: &lost, pool: &pool, notes: notes)
        while !lost.isEmpty {
            lostSequences.append(notes[lost.first].sequence)
            pool.release(lost.first)
            lost.removeFirst(length: 100)
        }
        return news
    }

    /// A copy of the packet arrived elsewhere.
    func markAcknowledged(_ number: UInt64) {
        guard let slot = slots[number] else { return }
        var note = notes[slot]
        note.isAcknowledged = true
        notes[slot] = note
    }

    /// Gives up the path; returns the sequences to retransmit.
    func surrender() -> [UInt64] {
        var queue = SlotQueue(bound: 8192)
        lookedAt = sent.surrender(to: &queue, pool: &pool, notes: notes)
        var sequences: [UInt64] = []
        while !queue.isEmpty {
            sequences.append(notes[queue.first].sequence)
            queue.removeFirst(length: 100)
        }
        return sequences
    }

    func removeAll() { sent.removeAll(pool: &pool) }
}

extension AckMap {
    /// The map of these numbers, as far as it reaches.
    init(of numbers: some Collection<UInt64>) {
        let highest = numbers.max() ?? 0
        var words: [UInt64] = [0, 0, 0, 0]
        for number in numbers where number < highest && highest - 1 - number < Self.span {
            let bit = highest - 1 - number
            words[Int(bit / 64)] |= 1 << (bit % 64)
        }
        self.init(highest: highest, words: (words[0], words[1], words[2], words[3]))
    }
}
