import Packet
import Proto
import Scheduler

/// The states of paths that one control datagram tells of, by the path's index in the session. The last word on a path counts,
/// so that a datagram with hundreds of them costs no more than one with 16.
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
    /// Server: a client that asks for its assignment again and again is answered once in this time. It asks with each ping until
    /// it has it.
    static var assignmentInterval: Interval { .milliseconds(100) }
    /// A client takes a path out of use no more often than this.
    static var dismissalInterval: Interval { .milliseconds(100) }
}
