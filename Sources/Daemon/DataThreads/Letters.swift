import Packet

/// Letters between data threads in one contiguous buffer: packets from the TUN device, and handshake inits
/// for another thread.
struct Letters: ~Copyable {
    enum Content {
        /// A packet from the TUN device.
        case packet(hasPartialChecksum: Bool)
        /// An init that arrived on `link`.
        case initiation(link: Link, hasCookie: Bool)
    }

    private struct Entry {
        let content: Content
        let offset: Int
        let length: Int
    }

    /// Some 20 ms of 1 Gbit/s; letters beyond that are dropped.
    private static let maximumCount = 2048
    private static let byteCount = 2048 * 1500

    private(set) var count = 0
    private let bytes: UnsafeMutableRawBufferPointer
    private let entries: UnsafeMutablePointer<Entry>
    private var used = 0

    /// No letters. The kernel allocates pages when they are first written.
    init() {
        bytes = .allocate(byteCount: Self.byteCount, alignment: 64)
        entries = .allocate(capacity: Self.maximumCount)
    }

    deinit {
        bytes.deallocate()
        entries.deallocate()
    }

    /// Adds a letter; false if there is no room.
    mutating func append(_ content: Content, _ letter: UnsafeRawBufferPointer) -> Bool {
        guard count < Self.maximumCount, used + letter.count <= bytes.count else { return false }
        bytes.dropping(used).copyMemory(from: letter)
        (entries + count).initialize(to: Entry(content: content, offset: used, length: letter.count))
        count += 1
        used += letter.count
        return true
    }

    func content(_ index: Int) -> Content {
        precondition(index < count)
        return entries[index].content
    }

    /// The bytes of the `index`-th letter. Valid until `clear`.
    func bytes(_ index: Int) -> UnsafeRawBufferPointer {
        precondition(index < count)
        return UnsafeRawBufferPointer(bytes.slice(entries[index].offset, entries[index].length))
    }

    mutating func clear() {
        count = 0
        used = 0
    }
}
