/// A pool of equal buffers, each for one inner packet, reserved and released in constant time.
///
/// A buffer has `headroom` before the packet, which holds the wire format's shim, so that the cipher sees shim
/// and packet as one run of bytes. Nothing is allocated after `init`; if the pool is exhausted, `reserve`
/// returns `Slot.none`, and the caller drops and counts the packet.
///
/// The kernel maps pages as they are first written. Pages that have not been needed for a while can be returned
/// to it: see `shrink`.
public struct PacketPool: ~Copyable {
    /// Bytes before the packet.
    public static let headroom = 32
    /// The largest inner packet a buffer holds, in bytes.
    public static let maximumPacket = bufferSize - headroom
    /// Bytes of memory a buffer takes.
    public static let bufferSize = 2048
    /// The alignment of `bytes`: a page of most machines.
    private static let page = 4096

    /// The number of buffers.
    public let capacity: Int
    /// The number of reserved buffers.
    @inlinable public var inUse: Int { used - freeCount }
    /// Maximum number of buffers reserved at once since the last `resetPeak`, or since `init`.
    public var peak: Int { used - leastFree }

    @usableFromInline let bytes: UnsafeMutableRawPointer
    @usableFromInline let lengths: UnsafeMutablePointer<UInt16>
    @usableFromInline let owners: UnsafeMutablePointer<UInt16>
    /// Buffers from here on have never been reserved, and are not in `free`. Their entries in the tables, like
    /// their pages, have not been initialized yet.
    @usableFromInline var used = 0
    /// Free buffers below `used`; the last is reserved next.
    @usableFromInline let free: UnsafeMutablePointer<UInt32>
    @usableFromInline var freeCount = 0
    /// The minimum of `freeCount` since the last `resetPeak`.
    @usableFromInline var leastFree = 0

    /// A pool of `capacity` buffers.
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

    /// Reserves a buffer; returns `Slot.none` if all are in use.
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

    /// Adds an owner: the buffer is free again once each owner has released it.
    @inlinable public mutating func retain(_ slot: Slot) {
        precondition(
            Int(slot.index) < capacity && owners[Int(slot.index)] > 0, "retained a slot without an owner")
        (owners + Int(slot.index)).pointee &+= 1
    }

    /// Whether the buffer has more than one owner.
    @inlinable public func isShared(_ slot: Slot) -> Bool { owners[Int(slot.index)] > 1 }

    /// Releases one owner's share; the last release frees the buffer. An excess release traps, in release
    /// builds as well: otherwise it would write past the end of the list of free buffers.
    @inlinable public mutating func release(_ slot: Slot) {
        precondition(Int(slot.index) < capacity, "released a slot that is not of this pool")
        precondition(owners[Int(slot.index)] > 0, "released a slot once too often")
        (owners + Int(slot.index)).pointee &-= 1
        if owners[Int(slot.index)] > 0 { return }
        free[freeCount] = slot.index
        freeCount &+= 1
    }

    /// The number of buffers used since `init` or the last `shrink`, and so of those whose memory is in use.
    public var reach: Int { used }

    /// Starts a new measurement of the peak.
    public mutating func resetPeak() { leastFree = freeCount }

    /// Sorts the free buffers so that the lowest are reserved next, and passes on all whole pages that have
    /// been written to and contain only free buffers: the caller may release their memory, as the contents are
    /// no longer needed.
    /// - Parameter pageSize: a power of two.
    public mutating func shrink(pageSize: Int, _ giveBack: (UnsafeMutableRawBufferPointer) -> Void) {
        let before = used
        while used > 0 && owners[used - 1] == 0 { used -= 1 }
        offer(used..<before, pageSize: pageSize, giveBack)
        freeCount = 0
        // The last is reserved next, so sort from the highest down.
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

    /// Passes on the whole pages of free buffers.
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

    /// Sets the length of the packet in the buffer, in bytes.
    @inlinable public mutating func setLength(_ length: Int, of slot: Slot) {
        precondition(length <= Self.maximumPacket)
        lengths[Int(slot.index)] = UInt16(truncatingIfNeeded: length)
    }

    /// The length of the packet in the buffer, in bytes.
    @inlinable public func length(of slot: Slot) -> Int { Int(lengths[Int(slot.index)]) }

    /// The whole room for a packet: `maximumPacket` bytes. Valid until the slot is released.
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

    /// The packet preceded by the last `prefix` bytes of headroom. Valid until the slot is released.
    @inlinable public func packet(in slot: Slot, withPrefix prefix: Int) -> UnsafeMutableRawBufferPointer {
        precondition(Int(slot.index) < capacity && prefix <= Self.headroom)
        return UnsafeMutableRawBufferPointer(
            start: bytes + (Int(slot.index) &* Self.bufferSize &+ Self.headroom &- prefix),
            count: length(of: slot) &+ prefix)
    }

    /// The whole room for a packet preceded by the last `prefix` bytes of headroom.
    @inlinable public func room(of slot: Slot, withPrefix prefix: Int) -> UnsafeMutableRawBufferPointer {
        precondition(Int(slot.index) < capacity && prefix <= Self.headroom)
        return UnsafeMutableRawBufferPointer(
            start: bytes + (Int(slot.index) &* Self.bufferSize &+ Self.headroom &- prefix),
            count: Self.maximumPacket &+ prefix)
    }
}
