/// A slab of equal buffers, each for one inner packet, given out and taken back in constant time.
///
/// A buffer has `headroom` in front of the packet, where the shim of the wire format goes, so that shim and packet are
/// one run of bytes for the cipher. Nothing is allocated after `init`; when the slab is empty, `reserve` says so and
/// the packet is dropped and counted by the caller.
public struct PacketPool: ~Copyable {
    /// Bytes in front of the packet.
    public static let headroom = 32
    /// The largest inner packet a buffer holds, in bytes.
    public static let maximumPacket = 2048 - headroom
    @usableFromInline static let stride = 2048

    /// How many buffers there are.
    public let capacity: Int
    /// How many buffers are given out.
    @inlinable public var inUse: Int { capacity - freeCount }

    @usableFromInline let bytes: UnsafeMutableRawPointer
    @usableFromInline let lengths: UnsafeMutablePointer<UInt16>
    @usableFromInline let owners: UnsafeMutablePointer<UInt16>
    @usableFromInline let free: UnsafeMutablePointer<UInt32>
    @usableFromInline var freeCount: Int

    /// A slab of `capacity` buffers. The kernel hands out the pages as they are first written.
    public init(capacity: Int) {
        precondition(capacity > 0 && capacity < Int(UInt32.max))
        self.capacity = capacity
        bytes = .allocate(byteCount: capacity * Self.stride, alignment: 64)
        lengths = .allocate(capacity: capacity)
        lengths.initialize(repeating: 0, count: capacity)
        owners = .allocate(capacity: capacity)
        owners.initialize(repeating: 0, count: capacity)
        free = .allocate(capacity: capacity)
        for i in 0..<capacity { free[i] = UInt32(capacity - 1 - i) }
        freeCount = capacity
    }

    deinit {
        bytes.deallocate()
        lengths.deallocate()
        owners.deallocate()
        free.deallocate()
    }

    /// Takes a buffer, or `Slot.none` when all are in use.
    @inlinable public mutating func reserve() -> Slot {
        if freeCount == 0 { return .none }
        freeCount &-= 1
        let index = free[freeCount]
        lengths[Int(index)] = 0
        owners[Int(index)] = 1
        return Slot(index: index)
    }

    /// Adds an owner: the buffer comes back when each owner has released it.
    @inlinable public mutating func retain(_ slot: Slot) {
        assert(owners[Int(slot.index)] > 0, "retained a slot that nobody owns")
        (owners + Int(slot.index)).pointee &+= 1
    }

    /// Gives up one owner's share; the last one's gives the buffer back. In debug, one release too many traps.
    @inlinable public mutating func release(_ slot: Slot) {
        assert(Int(slot.index) < capacity, "released a slot that is not of this pool")
        assert(owners[Int(slot.index)] > 0, "released a slot once too often")
        (owners + Int(slot.index)).pointee &-= 1
        if owners[Int(slot.index)] > 0 { return }
        free[freeCount] = slot.index
        freeCount &+= 1
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
            start: bytes + (Int(slot.index) &* Self.stride &+ Self.headroom), count: Self.maximumPacket)
    }

    /// The packet in the buffer. Valid until the slot is released.
    @inlinable public func packet(in slot: Slot) -> UnsafeMutableRawBufferPointer {
        precondition(Int(slot.index) < capacity)
        return UnsafeMutableRawBufferPointer(
            start: bytes + (Int(slot.index) &* Self.stride &+ Self.headroom), count: length(of: slot))
    }

    /// The packet with the last `prefix` bytes of headroom before it. Valid until the slot is released.
    @inlinable public func packet(in slot: Slot, withPrefix prefix: Int) -> UnsafeMutableRawBufferPointer {
        precondition(Int(slot.index) < capacity && prefix <= Self.headroom)
        return UnsafeMutableRawBufferPointer(
            start: bytes + (Int(slot.index) &* Self.stride &+ Self.headroom &- prefix),
            count: length(of: slot) &+ prefix)
    }

    /// All room of the buffer with the last `prefix` bytes of headroom before it.
    @inlinable public func room(of slot: Slot, withPrefix prefix: Int) -> UnsafeMutableRawBufferPointer {
        precondition(Int(slot.index) < capacity && prefix <= Self.headroom)
        return UnsafeMutableRawBufferPointer(
            start: bytes + (Int(slot.index) &* Self.stride &+ Self.headroom &- prefix),
            count: Self.maximumPacket &+ prefix)
    }
}
