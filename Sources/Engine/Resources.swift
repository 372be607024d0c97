import Packet
import Proto
import Scheduler

/// Resources shared by all sessions of an Engine.
struct Resources: ~Copyable {
    var pool: PacketPool
    var shares = BufferShares()
    let notes: PacketNotes
    var entropy: Entropy
    /// The key of the hash that distinguishes flows.
    let flowKey: FlowKey
    var drops = DropCounters()
    var events: [EngineEvent] = []
    var keyring: Keyring
    /// Whether a session has freed memory since this was last checked.
    var hasFreed = false
    /// Packets on their way to the TUN device.
    var deliveries = SlotQueue(bound: 1 << 16)
    /// Where control payloads are composed before they are sealed, and where they are opened.
    let scratch: UnsafeMutableRawBufferPointer

    init(poolCapacity: Int, shard: Int, seed: [UInt8]) {
        keyring = Keyring(shard: shard)
        pool = PacketPool(capacity: poolCapacity)
        notes = PacketNotes(capacity: poolCapacity)
        var entropy = Entropy(seed: seed)
        flowKey = FlowKey(
            (entropy.next(), entropy.next(), entropy.next(), entropy.next(), entropy.next()))
        self.entropy = entropy
        scratch = .allocate(byteCount: Wire.maximumDatagram, alignment: 16)
    }

    deinit { scratch.deallocate() }
}
