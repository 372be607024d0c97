import Packet

/// The most recent source symbols, by sequence, each a copy in a slot of its own, because the original may be
/// changed on its way to the TUN device.
struct SourceSymbols: ~Copyable {
    /// Number of sequences below the highest that are remembered at first: the difference between the paths'
    /// delays (300 ms at 70 Mbit/s) plus the longest window.
    static let usualSpan = 2048
    /// Maximum number remembered when windows begin lower: 300 ms at 600 Mbit/s.
    static let longestSpan = 16384

    /// Number of sequences remembered, a power of two, bounded so that they fill at most a quarter of the
    /// pool.
    private(set) var span: UInt64 = 0

    private struct Entry {
        var sequence = UInt64.max
        var slot = Slot.none
    }

    /// Allocated with the first repair symbol: without any, no symbols are remembered.
    private var entries: UnsafeMutablePointer<Entry>?
    /// One above the highest sequence.
    private(set) var top: UInt64 = 0
    /// Number of symbols held.
    private(set) var count = 0
    /// Everything below this was forgotten for lack of memory.
    private var floor: UInt64 = 0

    init() {}

    deinit { entries?.deallocate() }

    /// Whether symbols are remembered.
    var isActive: Bool { entries != nil }

    /// The lowest sequence that may be held.
    var bottom: UInt64 { max(floor, top > span ? top - span : 0) }

    /// The symbol of `sequence`, or `Slot.none`.
    func find(_ sequence: UInt64) -> Slot {
        guard let entries else { return .none }
        let entry = entries[Int(truncatingIfNeeded: sequence & (span - 1))]
        return entry.sequence == sequence ? entry.slot : .none
    }

    /// Starts remembering symbols.
    mutating func activate(poolCapacity: Int) {
        guard entries == nil else { return }
        let count = min(Self.usualSpan, Self.share(of: poolCapacity))
        span = UInt64(count)
        entries = .allocate(capacity: count)
        entries?.initialize(repeating: Entry(), count: count)
    }

    /// Doubles the number remembered from now on, up to the limit. Forgotten symbols stay forgotten.
    mutating func grow(poolCapacity: Int) {
        guard let old = entries, top > span, floor <= top - span,
            Int(span) < min(Self.longestSpan, Self.share(of: poolCapacity))
        else { return }
        floor = bottom
        let larger = UnsafeMutablePointer<Entry>.allocate(capacity: Int(span) * 2)
        larger.initialize(repeating: Entry(), count: Int(span) * 2)
        for i in 0..<Int(span) where old[i].slot != .none {
            larger[Int(truncatingIfNeeded: old[i].sequence & (span * 2 - 1))] = old[i]
        }
        old.deallocate()
        entries = larger
        span *= 2
    }

    /// The largest power of two that is at most a quarter of the pool.
    private static func share(of poolCapacity: Int) -> Int { max(poolCapacity / 4 + 1, 2).nextPowerOfTwo / 2 }

    /// Adds a symbol and takes ownership of its slot; returns false if it is too old or already there.
    mutating func insert(_ slot: Slot, sequence: UInt64, pool: inout PacketPool) -> Bool {
        guard let entries, sequence >= bottom, sequence < 1 << 62 else { return false }
        let entry = entries + Int(truncatingIfNeeded: sequence & (span - 1))
        guard entry.pointee.sequence != sequence else { return false }
        if entry.pointee.slot == .none { count += 1 } else { pool.release(entry.pointee.slot) }
        entry.pointee = Entry(sequence: sequence, slot: slot)
        top = max(top, sequence + 1)
        return true
    }

    /// Forgets the oldest symbol.
    mutating func removeOldest(pool: inout PacketPool) {
        guard let entries else { return }
        floor = bottom
        while floor < top {
            let entry = entries + Int(truncatingIfNeeded: floor & (span - 1))
            floor += 1
            guard entry.pointee.slot != .none, entry.pointee.sequence < floor else { continue }
            pool.release(entry.pointee.slot)
            entry.pointee = Entry()
            count -= 1
            return
        }
    }

    /// Forgets all symbols.
    mutating func removeAll(pool: inout PacketPool) {
        guard let made = entries else { return }
        for i in 0..<Int(span) where made[i].slot != .none { pool.release(made[i].slot) }
        made.deallocate()
        entries = nil
        top = 0
        count = 0
        floor = 0
    }
}
