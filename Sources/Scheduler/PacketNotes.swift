import Packet

/// The sender's record of each packet while its slot lives: one note per slot of the pool.
public struct PacketNotes: ~Copyable {
    /// One packet's note.
    public struct Note: Sendable {
        /// The packet's sequence in the session.
        public var sequence: UInt64 = 0
        /// When the packet was read from the TUN device.
        public var entered = Instant.zero
        /// The hash of its flow.
        public var flow: UInt32 = 0
        /// The next packet in its flow's queue.
        public var next = Slot.none
        /// The number of its class of service; 0 for the default class.
        public var serviceClass: UInt8 = 0
        /// Its traffic class.
        public var trafficClass = TrafficClass.bulk
        /// Whether its transport checksum holds only the pseudo header's sum.
        public var hasPartialChecksum = false
        /// Whether this is a test of the tunnel rather than a packet.
        public var isTest = false
        /// How often it was lost and retransmitted.
        public var repairs: UInt8 = 0
        /// Whether this is a repair symbol, preceded by its frame's header, rather than a packet.
        public var isRepairSymbol = false
        /// Whether a copy of it is known to have arrived.
        public var isAcknowledged = false

        /// An empty note.
        public init() {}
    }

    private let notes: UnsafeMutablePointer<Note>
    private let capacity: Int

    /// Notes for a pool of `capacity` slots.
    public init(capacity: Int) {
        self.capacity = capacity
        // A note is written before it is read: until then its page need not be mapped.
        notes = .allocate(capacity: capacity)
    }

    deinit { notes.deallocate() }

    /// Records that the packet was lost and is retransmitted.
    public func countRepair(of slot: Slot) {
        precondition(slot.index < capacity)
        if notes[Int(slot.index)].repairs < .max { notes[Int(slot.index)].repairs += 1 }
    }

    /// Makes `slot` the next packet of its flow after `last`.
    func chain(_ slot: Slot, behind last: Slot) {
        precondition(last.index < capacity)
        notes[Int(last.index)].next = slot
    }

    /// The note of `slot`, which must have been written before.
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
