import Packet
import Scheduler

/// The last sequence of each flow, by 1024 buckets of the flow's hash, from which the shim's distance is computed,
/// and the paths that the flow is spread over. Two flows in one bucket keep each other's order, which harms
/// neither.
struct FlowTable: ~Copyable {
    static let buckets = 1024

    private struct Flow {
        /// One more than the last sequence; 0 if there is none.
        var next: UInt64 = 0
        var spread = FlowSpread()
    }

    /// Allocated with the first packet: a session that has always been idle has none.
    private var flows: UnsafeMutablePointer<Flow>?

    init() {}

    deinit { flows?.deallocate() }

    /// Releases the memory: every flow starts over, and its next packet waits for no other.
    mutating func forget() {
        flows?.deallocate()
        flows = nil
    }

    /// Records `sequence` as the flow's newest packet and returns the distance to the one before: 0 if there
    /// is none or the distance exceeds the shim's range.
    mutating func advance(flow: UInt32, to sequence: UInt64) -> UInt16 {
        let bucket = (flows ?? allocate()) + Self.bucket(flow)
        let next = bucket.pointee.next
        bucket.pointee.next = sequence + 1
        guard next > 0 else { return 0 }
        return UInt16(exactly: sequence + 1 - next) ?? 0
    }

    /// The paths that the flow is spread over.
    subscript(spreadOf flow: UInt32) -> FlowSpread {
        get { flows.map { $0[Self.bucket(flow)].spread } ?? FlowSpread() }
        set { (flows ?? allocate())[Self.bucket(flow)].spread = newValue }
    }

    private static func bucket(_ flow: UInt32) -> Int { Int(flow & UInt32(buckets - 1)) }

    private mutating func allocate() -> UnsafeMutablePointer<Flow> {
        let made = UnsafeMutablePointer<Flow>.allocate(capacity: Self.buckets)
        made.initialize(repeating: Flow(), count: Self.buckets)
        flows = made
        return made
    }
}
