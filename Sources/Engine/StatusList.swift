import Packet
import Proto
import Scheduler

/// The states of paths that one control datagram reports, by the path's index in the session. The last report
/// on a path counts, so a datagram with hundreds of them costs no more than one with 16.
struct StatusList: ~Copyable {
    /// One path's state, and its name as it lies in the datagram.
    struct Entry {
        var frame: PathStatusFrame
        var name: UnsafeRawBufferPointer
    }

    private var entries = InlineArray<16, Entry?>(repeating: nil)
    /// A bit for each path that is reported.
    private var told: UInt16 = 0

    /// Notes a report.
    mutating func note(_ entry: Entry, of index: Int) {
        entries[index] = entry
        told |= 1 << UInt16(index)
    }

    /// Takes out a path's report; nil when none is left.
    mutating func next() -> (index: Int, entry: Entry)? {
        guard told != 0 else { return nil }
        let index = told.trailingZeroBitCount
        told &= told - 1
        return entries[index].map { (index, $0) }
    }
}

extension Session {
    /// Minimum interval at which a client may take a path out of use.
    static var dismissalInterval: Interval { .milliseconds(100) }
}
