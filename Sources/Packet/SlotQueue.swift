/// A bounded FIFO queue of packets that tracks its size in bytes. It grows by doubling up to its bound, and
/// shrinks only on request.
public struct SlotQueue: ~Copyable {
    /// The number of queued packets.
    public private(set) var count = 0
    /// The size of the queued packets in bytes.
    public private(set) var bytes = 0
    /// Maximum number of packets.
    public let bound: Int

    private static let smallest = 64
    private var storage: UnsafeMutablePointer<Slot>
    private var capacity: Int
    private var head = 0

    /// An empty queue for at most `bound` packets.
    public init(bound: Int) {
        self.bound = bound
        capacity = min(Self.smallest, bound.nextPowerOfTwo)
        storage = .allocate(capacity: capacity)
        storage.initialize(repeating: .none, count: capacity)
    }

    deinit { storage.deallocate() }

    /// Whether the queue is empty.
    public var isEmpty: Bool { count == 0 }

    /// The oldest packet, or `Slot.none`.
    public var first: Slot { count == 0 ? .none : storage[head] }

    /// Appends a packet of `length` bytes; returns false if the queue is at its bound.
    public mutating func append(_ slot: Slot, length: Int) -> Bool {
        if count == bound { return false }
        if count == capacity { grow() }
        storage[(head + count) & (capacity - 1)] = slot
        count += 1
        bytes += length
        return true
    }

    /// Removes the oldest packet, which has `length` bytes.
    public mutating func removeFirst(length: Int) {
        precondition(count > 0)
        head = (head + 1) & (capacity - 1)
        count -= 1
        bytes -= length
    }

    /// Releases every packet to the pool.
    public mutating func removeAll(pool: inout PacketPool) {
        while !isEmpty {
            let slot = first
            removeFirst(length: pool.length(of: slot))
            pool.release(slot)
        }
    }

    /// Moves every packet to the end of `other`; those that do not fit are released to the pool.
    public mutating func removeAll(to other: inout SlotQueue, pool: inout PacketPool) {
        while !isEmpty {
            let slot = first
            let length = pool.length(of: slot)
            removeFirst(length: length)
            if !other.append(slot, length: length) { pool.release(slot) }
        }
    }

    /// Releases memory if the queue is empty.
    public mutating func shrink() {
        if count == 0 && capacity > Self.smallest { self = SlotQueue(bound: bound) }
    }

    private mutating func grow() {
        let larger = UnsafeMutablePointer<Slot>.allocate(capacity: capacity * 2)
        larger.initialize(repeating: .none, count: capacity * 2)
        for i in 0..<count { larger[i] = storage[(head + i) & (capacity - 1)] }
        storage.deallocate()
        storage = larger
        capacity *= 2
        head = 0
    }
}

extension Int {
    /// The smallest power of two that is at least this number.
    public var nextPowerOfTwo: Int { self <= 1 ? 1 : 1 << (Int.bitWidth - (self - 1).leadingZeroBitCount) }
}
