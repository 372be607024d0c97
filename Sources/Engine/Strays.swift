import Packet

/// Packets from the TUN device that belong to other shards, one queue per shard. The driver takes them after
/// every read, so the queues stay short.
struct Strays: ~Copyable {
    private let queues: UnsafeMutablePointer<SlotQueue>
    private let count: Int

    /// Queues for that many shards.
    init(shards: Int) {
        count = shards
        queues = .allocate(capacity: shards)
        for i in 0..<shards { (queues + i).initialize(to: SlotQueue(bound: 1024)) }
    }

    deinit {
        queues.deinitialize(count: count)
        queues.deallocate()
    }

    /// Adds a packet; returns false if there are 1024 already.
    mutating func append(_ slot: Slot, to shard: Int) -> Bool {
        precondition(shard < count)
        let queue = queues + shard
        return queue.pointee.append(slot, length: 0)
    }

    /// Whether no packet waits for the shard.
    func isEmpty(_ shard: Int) -> Bool { shard >= count || queues[shard].isEmpty }

    /// The shard's next packet, or `Slot.none`.
    mutating func take(for shard: Int) -> Slot {
        guard !isEmpty(shard) else { return .none }
        let queue = queues + shard
        let slot = queue.pointee.first
        queue.pointee.removeFirst(length: 0)
        return slot
    }
}
