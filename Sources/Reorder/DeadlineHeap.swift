import Packet

/// The deadlines of waiting packets, earliest first: a binary heap. An entry whose packet has gone stays in
/// the heap, and the owner skips it when it comes up.
struct DeadlineHeap: ~Copyable {
    /// A deadline, and the predecessor that the packet waits for.
    struct Entry {
        var deadline: Instant
        var predecessor: UInt64
    }

    /// Maximum number of entries; a packet that does not fit is not held.
    static let bound = 65536

    private var entries: UnsafeMutablePointer<Entry>
    private var capacity = 64
    private(set) var count = 0

    init() { entries = .allocate(capacity: capacity) }

    deinit { entries.deallocate() }

    /// The earliest entry.
    var first: Entry? { count == 0 ? nil : entries[0] }

    /// Adds an entry; returns false if the heap is full.
    mutating func insert(_ entry: Entry) -> Bool {
        if count == capacity && !grow() { return false }
        var hole = count
        count += 1
        while hole > 0, entry.deadline < entries[(hole - 1) / 2].deadline {
            (entries + hole).initialize(to: entries[(hole - 1) / 2])
            hole = (hole - 1) / 2
        }
        (entries + hole).initialize(to: entry)
        return true
    }

    /// Removes the earliest entry.
    mutating func removeFirst() {
        precondition(count > 0)
        count -= 1
        let moved = entries[count]
        var hole = 0
        while true {
            var child = hole * 2 + 1
            guard child < count else { break }
            if child + 1 < count && entries[child + 1].deadline < entries[child].deadline { child += 1 }
            guard entries[child].deadline < moved.deadline else { break }
            entries[hole] = entries[child]
            hole = child
        }
        entries[hole] = moved
    }

    private mutating func grow() -> Bool {
        guard capacity < Self.bound else { return false }
        let larger = UnsafeMutablePointer<Entry>.allocate(capacity: capacity * 2)
        larger.moveInitialize(from: entries, count: count)
        entries.deallocate()
        entries = larger
        capacity *= 2
        return true
    }
}
