/// Sealed datagrams on their way to the sockets, stored contiguously.
///
/// The core reserves room, seals directly into it and commits; the transport sends the datagrams and clears the
/// outbox. Consecutive datagrams of one link are adjacent, as UDP segmentation offload requires.
public struct Outbox: ~Copyable {
    /// A datagram waiting to be sent.
    public struct Entry: Sendable {
        /// The link to send it on.
        public let link: Link
        /// The offset of its bytes in the outbox.
        public let offset: Int
        /// Its length in bytes.
        public let length: Int
        /// The two ECN bits of its outer header (RFC 3168).
        public let ecn: UInt8

        @inlinable init(link: Link, offset: Int, length: Int, ecn: UInt8) {
            self.link = link
            self.offset = offset
            self.length = length
            self.ecn = ecn
        }
    }

    /// The number of waiting datagrams.
    public private(set) var count = 0

    private let bytes: UnsafeMutableRawBufferPointer
    private let entries: UnsafeMutablePointer<Entry>
    private let maximumCount: Int
    private var used = 0

    /// An outbox with room for `datagrams` datagrams and `byteCount` bytes in all.
    public init(datagrams: Int = 512, byteCount: Int = 512 * 1024) {
        maximumCount = datagrams
        bytes = .allocate(byteCount: byteCount, alignment: 64)
        entries = .allocate(capacity: datagrams)
    }

    deinit {
        bytes.deallocate()
        entries.deallocate()
    }

    /// Whether a datagram of up to `length` bytes still fits.
    public func hasRoom(for length: Int) -> Bool { count < maximumCount && used + length <= bytes.count }

    /// Room for a datagram of up to `length` bytes; nil if the outbox must be flushed first.
    /// The next `commit` turns it into a datagram; without one, it is discarded by the next `reserve`.
    public mutating func reserve(_ length: Int) -> UnsafeMutableRawBufferPointer? {
        guard hasRoom(for: length) else { return nil }
        return UnsafeMutableRawBufferPointer(rebasing: bytes[used..<used + length])
    }

    /// Turns the first `length` bytes of the last reservation into a datagram for `link`.
    public mutating func commit(_ length: Int, to link: Link, ecn: UInt8 = 0) {
        precondition(count < maximumCount && used + length <= bytes.count)
        (entries + count).initialize(to: Entry(link: link, offset: used, length: length, ecn: ecn))
        count += 1
        used += length
    }

    /// The `index`-th waiting datagram.
    public subscript(index: Int) -> Entry {
        precondition(index < count)
        return entries[index]
    }

    /// The bytes of `entry`. Valid until `clear`.
    public func datagram(_ entry: Entry) -> UnsafeMutableRawBufferPointer {
        UnsafeMutableRawBufferPointer(rebasing: bytes[entry.offset..<entry.offset + entry.length])
    }

    /// The bytes of `count` consecutive datagrams from the `index`-th on. Valid until `clear`.
    public func datagrams(from index: Int, count: Int) -> UnsafeMutableRawBufferPointer {
        let last = self[index + count - 1]
        return UnsafeMutableRawBufferPointer(rebasing: bytes[self[index].offset..<last.offset + last.length])
    }

    /// Discards all datagrams.
    public mutating func clear() {
        count = 0
        used = 0
    }
}
