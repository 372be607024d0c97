import Packet

/// What the sender remembers of a packet while its slot lives: one note a slot of the pool.
public struct PacketNotes: ~Copyable {
    /// One packet's note.
    public struct Note: Sendable {
        /// The session's sequence that the packet was given.
        public var sequence: UInt64 = 0
        /// When it came out of the TUN device.
        public var entered = Instant.zero
        /// Its flow's hash.
        public var flow: UInt32 = 0
        /// The next packet of its flow's queue.
        public var next = Slot.none
        /// Its class.
        public var trafficClass = TrafficClass.bulk
        /// Whether its transport checksum holds only the pseudo header's sum.
        public var hasPartialChecksum = false
        /// Whether it is a test of the tunnel and no packet.
        public var isTest = false
        /// How often it was lost and sent again.
        public var repairs: UInt8 = 0
        /// Whether it is no packet but a repair symbol, with its frame's head before it.
        public var isRepairSymbol = false
        /// Whether a copy of it is known to have arrived.
        public var isAcknowledged = false

        /// A note of nothing.
        public init() {}
    }

    private let notes: UnsafeMutablePointer<Note>
    private let capacity: Int

    /// Notes for a pool of `capacity` slots.
    public init(capacity: Int) {
        self.capacity = capacity
        // A note is written before it is read: until then its page need not be there.
        notes = .allocate(capacity: capacity)
    }

    deinit { notes.deallocate() }

    /// Notes that the packet was lost and goes again.
    public func countRepair(of slot: Slot) {
        precondition(slot.index < capacity)
        if notes[Int(slot.index)].repairs < .max { notes[Int(slot.index)].repairs += 1 }
    }

    /// Makes `slot` the next of its flow after `last`.
    func chain(_ slot: Slot, behind last: Slot) {
        precondition(last.index < capacity)
        notes[Int(last.index)].next = slot
    }

    /// The note of `slot`, which must have been given one.
    public subscript(slot: Slot) -> Note {
        get {
            precondition(slot.index < capacity)
            return notes[Int(slot.index)]
        }
        nonmutating set {
            precondition(slot.index < capacity)
            (notes + Int(slot.index)).initialize(to: newValue)
        }
    }
}
