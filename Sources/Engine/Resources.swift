import Packet
import Proto
import Scheduler

/// What all sessions of an Engine share.
struct Resources: ~Copyable {
    var pool: PacketPool
    var shares = BufferShares()
    let notes: PacketNotes
    var entropy: Entropy
    var drops = DropCounters()
    var events: [EngineEvent] = []
    var keyring: Keyring
    /// Whether a session has freed memory since that was last asked.
    var hasFreed = false
    /// Packets on their way to the TUN device.
    var deliveries = SlotQueue(bound: 1 << 16)
    /// Where control payloads are put together before they are sealed, and where they are opened.
    let scratch: UnsafeMutableRawBufferPointer

    init(poolCapacity: Int, shard: Int, seed: [UInt8]) {
        keyring = Keyring(shard: shard)
        pool = PacketPool(capacity: poolCapacity)
        notes = PacketNotes(capacity: poolCapacity)
        entropy = Entropy(seed: seed)
        scratch = .allocate(byteCount: Wire.maximumDatagram, alignment: 16)
    }

    deinit { scratch.deallocate() }
}
