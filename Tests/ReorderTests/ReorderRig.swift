import Packet

@testable import Reorder

/// A `ReorderBuffer` with its own pool, whose packets are identified by their sequence.
final class ReorderRig {
    var pool = PacketPool(capacity: 16384)
    var buffer: ReorderBuffer
    var now = Instant(nanoseconds: 1_000_000_000)
    /// The sequences delivered, in order.
    var delivered: [UInt64] = []
    private var sequences: [Slot: UInt64] = [:]

    init(bound: Int = 8192) { buffer = ReorderBuffer(bound: bound) }

    /// Passes on a packet. Its predecessor in the flow is `predecessor`; nil if there is none.
    @discardableResult
    func accept(
        _ sequence: UInt64, after predecessor: UInt64? = nil, hold: Interval = .milliseconds(100),
        trafficClass: TrafficClass = .bulk, keeping wait: Interval = .zero
    ) -> ReorderBuffer.Verdict {
        let slot = pool.reserve()
        precondition(slot != .none, "the pool is empty: slots were lost")
        pool.setLength(100, of: slot)
        sequences[slot] = sequence
        let distance = predecessor.map { UInt16(sequence - $0) } ?? 0
        let verdict = buffer.accept(
            slot, sequence: sequence, distance: distance, trafficClass: trafficClass, hold: hold,
            repair: repair, wait: wait, mayHold: mayHold, now: now, pool: &pool)
        switch verdict {
        case .duplicate, .stale: pool.release(slot)
        case .delivered, .held: break
        }
        collect()
        return verdict
    }

    /// Whether there is memory for more waiting packets.
    var mayHold = true
    /// How long a repair takes; none arrives unless set.
    var repair = Interval.zero

    func prove(_ floor: UInt64) {
        buffer.prove(lostBelow: floor, repair: repair, now: now, pool: &pool)
        collect()
    }

    /// Advances the time, and does a timer's work at the end of it.
    func wait(_ length: Interval) {
        now = now + length
        buffer.expire(now: now, pool: &pool)
        collect()
    }

    private func collect() {
        while let slot = buffer.popReady(pool: pool) {
            delivered.append(sequences[slot] ?? .max)
            pool.release(slot)
        }
    }
}
