/// The last sequence of each flow, by 1024 buckets of the flow's hash: the shim's distance is computed from
/// it. Two flows in one bucket keep each other's order, which harms neither.
struct FlowTable: ~Copyable {
    static let buckets = 1024

    /// Allocated with the first packet: a session that has always been idle has none.
    private var last: UnsafeMutablePointer<UInt64>?

    init() {}

    deinit { last?.deallocate() }

    /// Releases the memory: every flow starts over, and its next packet waits for no other.
    mutating func forget() {
        last?.deallocate()
        last = nil
    }

    /// Records `sequence` as the flow's newest packet and returns the distance to the one before: 0 if there
    /// is none or the distance exceeds the shim's range.
    mutating func advance(flow: UInt32, to sequence: UInt64) -> UInt16 {
        let bucket = (last ?? allocate()) + Int(flow & UInt32(Self.buckets - 1))
        let previous = bucket.pointee
        bucket.pointee = sequence + 1
        guard previous > 0 else { return 0 }
        return UInt16(exactly: sequence + 1 - previous) ?? 0
    }

    private mutating func allocate() -> UnsafeMutablePointer<UInt64> {
        let made = UnsafeMutablePointer<UInt64>.allocate(capacity: Self.buckets)
        made.initialize(repeating: 0, count: Self.buckets)
        last = made
        return made
    }
}
