/// A slab of equal buffers, each for one inner packet, given out and taken back in constant time.
///
/// A buffer has `headroom` in front of the packet, where the shim of the wire format goes, so that shim and packet are
/// one run of bytes for the cipher. Nothing is allocated after `init`; when the slab is empty, `reserve` says so and
/// the packet is dropped and counted by the caller.
///
/// The kernel hands out pages as they are first written. What was not needed for a while can be given back to it: see
/// `shrink`.
public struct PacketPool: ~Copyable {
    /// Bytes in front of the packet.
    public static let headroom = 32
    /// The largest inner packet a buffer holds, in bytes.
    public static let maximumPacket = bufferSize - headroom
    /// Bytes of memory a buffer takes.
    public static let bufferSize = 2048
    /// What `bytes` is aligned to: a page of most machines.
    private static let page = 4096

    /// How many buffers there are.
    public let capacity: Int
    /// How many buffers are given out.
    @inlinable public var inUse: Int { used - freeCount }
    /// The most buffers that were given out at once since the last `shrink`, or since `init`.
    public var peak: Int { used - leastFree }

    @usableFromInline let bytes: UnsafeMutableRawPointer
    @usableFromInline let lengths: UnsafeMutablePointer<UInt16>
    @usableFromInline let owners: UnsafeMutablePointer<UInt16>
    /// Buffers from here on are free, and not in `free`: nobody has had them. Their entries in the tables, like their
    /// pages, are not there yet.
    @usableFromInline var used = 0
    /// Free buffers below `used`; the last is given out next.
    @usableFromInline let free: UnsafeMutablePointer<UInt32>
    @usableFromInline var freeCount = 0
    /// The smallest that `freeCount` was since the last `shrink`.
    @usableFromInline var leastFree = 0

    /// A slab of `capacity` buffers.
    public init(capacity: Int) {
        precondition(capacity > 0 && capacity < Int(UInt32.max))
        self.capacity = capacity
        bytes = .allocate(byteCount: capacity * Self.bufferSize, alignment: Self.page)
        lengths = .allocate(capacity: capacity)
        owners = .allocate(capacity: capacity)
        free = .allocate(capacity: capacity)
    }

    deinit {
        bytes.deallocate()
        lengths.deallocate()
        owners.deallocate()
        free.deallocate()
    }

    /// Takes a buffer, or `Slot.none` when all are in use.
    @inlinable public mutating func reserve() -> Slot {
        let index: UInt32
        if freeCount > 0 {
            freeCount &-= 1
            index = free[freeCount]
            leastFree = min(leastFree, freeCount)
        } else if used < capacity {
            index = UInt32(truncatingIfNeeded: used)
            used &+= 1
        } else {
            return .none
        }
        lengths[Int(index)] = 0
        owners[Int(index)] = 1
        return Slot(index: index)
    }

    /// Adds an owner: the buffer comes back when each owner has released it.
    @inlinable public mutating func retain(_ slot: Slot) {
        precondition(
            Int(slot.index) < capacity && owners[Int(slot.index)] > 0, "retained a slot without an owner")
        (owners + Int(slot.index)).pointee &+= 1
    }

    /// Whether somebody else owns the buffer, too.
    @inlinable public func isShared(_ slot: Slot) -> Bool { owners[Int(slot.index)] > 1 }

    /// Gives up one owner's share; the last one's gives the buffer back. One release too many traps, in release builds as well:
    /// otherwise it would write past the end of the list of free buffers.
    @inlinable public mutating func release(_ slot: Slot) {
        precondition(Int(slot.index) < capacity, "released a slot that is not of this pool")
        precondition(owners[Int(slot.index)] > 0, "released a slot once too often")
        (owners + Int(slot.index)).pointee &-= 1
        if owners[Int(slot.index)] > 0 { return }
        free[freeCount] = slot.index
        freeCount &+= 1
    }

    /// How many buffers have been given out since `init` or the last `shrink`: so much memory is in use or was.
    public var reach: Int { used }

    /// Begins to look for the peak anew.
    public mutating func resetPeak() { leastFree = freeCount }

    /// Makes the lowest free buffers the next to be given out, and tells of all whole pages that have been written to and
    /// hold none but free buffers: the caller may take their memory, as a buffer's old bytes are of no use.
    /// - Parameter pageSize: a power of two.
    public mutating func shrink(pageSize: Int, _ giveBack: (UnsafeMutableRawBufferPointer) -> Void) {
        let before = used
        while used > 0 && owners[used - 1] == 0 { used -= 1 }
        offer(used..<before, pageSize: pageSize, giveBack)
        freeCount = 0
        // The last is given out next, so from the highest down.
        var end = used
        while end > 0 {
            var start = end
            while start > 0 && owners[start - 1] == 0 {
                start -= 1
                free[freeCount] = UInt32(start)
                freeCount += 1
            }
            offer(start..<end, pageSize: pageSize, giveBack)
            end = start
            while end > 0 && owners[end - 1] > 0 { end -= 1 }
        }
        resetPeak()
    }

    /// Tells of the whole pages of free buffers.
    private func offer(
        _ buffers: Range<Int>, pageSize: Int, _ giveBack: (UnsafeMutableRawBufferPointer) -> Void
    ) {
        let first = UInt(bitPattern: bytes + buffers.lowerBound * Self.bufferSize)
        let last = UInt(bitPattern: bytes + buffers.upperBound * Self.bufferSize)
        let mask = UInt(pageSize - 1)
        let (start, end) = ((first + mask) & ~mask, last & ~mask)
        guard start < end, let pages = UnsafeMutableRawPointer(bitPattern: start) else { return }
        giveBack(UnsafeMutableRawBufferPointer(start: pages, count: Int(end - start)))
    }

    /// Sets how many bytes of packet the buffer holds.
    @inlinable public mutating func setLength(_ length: Int, of slot: Slot) {
        precondition(length <= Self.maximumPacket)
        lengths[Int(slot.index)] = UInt16(truncatingIfNeeded: length)
    }

    /// How many bytes of packet the buffer holds.
    @inlinable public func length(of slot: Slot) -> Int { Int(lengths[Int(slot.index)]) }

    /// All room for a packet: `maximumPacket` bytes. Valid until the slot is released.
    @inlinable public func room(of slot: Slot) -> UnsafeMutableRawBufferPointer {
        precondition(Int(slot.index) < capacity)
        return UnsafeMutableRawBufferPointer(
            start: bytes + (Int(slot.index) &* Self.bufferSize &+ Self.headroom), count: Self.maximumPacket)
    }

    /// The packet in the buffer. Valid until the slot is released.
    @inlinable public func packet(in slot: Slot) -> UnsafeMutableRawBufferPointer {
        precondition(Int(slot.index) < capacity)
        return UnsafeMutableRawBufferPointer(
            start: bytes + (Int(slot.index) &* Self.bufferSize &+ Self.headroom), count: length(of: slot))
    }

    /// The packet with the last `prefix` bytes of headroom before it. Valid until the slot is released.
    @inlinable public func packet(in slot: Slot, withPrefix prefix: Int) -> UnsafeMutableRawBufferPointer {
        precondition(Int(slot.index) < capacity && prefix <= Self.headroom)
        return UnsafeMutableRawBufferPointer(
            start: bytes + (Int(slot.index) &* Self.bufferSize &+ Self.headroom &- prefix),
            count: length(of: slot) &+ prefix)
    }

    /// All room of the buffer with the last `prefix` bytes of headroom before it.
    @inlinable public func room(of slot: Slot, withPrefix prefix: Int) -> UnsafeMutableRawBufferPointer {
        precondition(Int(slot.index) < capacity && prefix <= Self.headroom)
        return UnsafeMutableRawBufferPointer(
            start: bytes + (Int(slot.index) &* Self.bufferSize &+ Self.headroom &- prefix),
            count: Self.maximumPacket &+ prefix)
    }
}
