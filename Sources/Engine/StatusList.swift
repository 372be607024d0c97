import Packet
import Proto
import Scheduler

/// The states of paths that one control datagram reports, by the path's index in the session. The last report
/// on a path counts, so a datagram with hundreds of them costs no more than one with 16.
struct StatusList {
    /// One path's state, and its name as it lies in the datagram.
    struct Entry {
        var frame: PathStatusFrame
        var name: UnsafeRawBufferPointer
    }

    private var entries = InlineArray<16, Entry?>(repeating: nil)

    subscript(index: Int) -> Entry? {
        get { entries[index] }
        set { entries[index] = newValue }
    }
}

extension Session {
    /// Server: minimum interval between answers to a client that keeps asking for its assignment. It asks
    /// with each PING until it has it.
    static var assignmentInterval: Interval { .milliseconds(100) }
    /// Minimum interval at which a client may take a path out of use.
    static var dismissalInterval: Interval { .milliseconds(100) }
}
