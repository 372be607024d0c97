import Packet
import Proto
import Scheduler

// Test packets: made by the sending end on request, counted where they arrive.
extension Session {
    /// Bound on the bytes of test packets that wait before the paths: the queue limit divided by this. About
    /// 40 ms, so that a host that wakes the daemon late is not mistaken for a slow link.
    private static var benchShare: Int { 4 }
    /// All test packets are one flow.
    private static var benchFlow: UInt32 { 0xBE4C_0001 }

    /// The only path that may be used now, because it is being measured; `nil` if all may be.
    func measuredPath(now: Instant) -> Int? {
        guard owed.bench.sendsUntil > now, owed.bench.pathID != BenchFrame.everyPath,
            let index = paths.find(owed.bench.pathID), paths[index].pointee.carriesData
        else { return nil }
        return index
    }

    /// Keeps a few test packets waiting while they are wanted. They take turns with other flows, and are
    /// paced, repaired and reordered like them; without ACKs from the peer they stop like all traffic.
    ///
    /// Their number is bounded as well as their bytes: above 2.2 Gbit/s the queue reaches its limit of
    /// packets before its share in bytes.
    mutating func makeTestPackets(_ resources: inout Resources, now: Instant) {
        guard owed.bench.sendsUntil > now, paths.isAnyUp else { return }
        while sendQueue.bytes < sendQueue.limit / Self.benchShare && sendQueue.count < SendQueue.longest / 2
            && allowance.mayKeep
        {
            let slot = resources.pool.reserve()
            guard slot != .none else { return }
            resources.pool.setLength(Bench.size, of: slot)
            resources.pool.packet(in: slot).initializeMemory(as: UInt8.self, repeating: 0)
            var note = PacketNotes.Note()
            note.entered = now
            note.flow = Self.benchFlow
            note.isTest = true
            resources.notes[slot] = note
            enqueue(slot, length: Bench.size, &resources, now: now)
        }
    }

    /// Whether the packet in a slot was a test packet, which is then counted.
    mutating func countsAsTest(_ slot: Slot, _ resources: borrowing Resources) -> Bool {
        let packet = resources.pool.packet(in: slot, withPrefix: Wire.shimSize)
        guard Shim(parsing: UnsafeRawBufferPointer(packet)).flags & Shim.test != 0 else { return false }
        owed.bench.received += UInt64(resources.pool.length(of: slot))
        return true
    }
}
