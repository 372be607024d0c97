extension UnsafeRawBufferPointer {
    /// The big-endian integer at `offset`. Traps in debug builds if it extends past the end: callers check
    /// lengths first.
    @inlinable @inline(__always)
    public func bigEndian<T: FixedWidthInteger>(at offset: Int, as type: T.Type) -> T {
        precondition(offset >= 0 && offset &+ MemoryLayout<T>.size <= count)
        return T(bigEndian: loadUnaligned(fromByteOffset: offset, as: T.self))
    }

    /// The bytes from `offset` to the end; empty if there are none.
    @inlinable @inline(__always)
    public func dropping(_ offset: Int) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: self[Swift.min(offset, count)...])
    }

    /// `length` bytes from `offset`.
    @inlinable @inline(__always)
    public func slice(_ offset: Int, _ length: Int) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: self[offset..<offset &+ length])
    }
}

extension UnsafeMutableRawBufferPointer {
    /// Stores `value` big-endian at `offset`.
    @inlinable @inline(__always)
    public func storeBigEndian<T: FixedWidthInteger>(_ value: T, at offset: Int) {
        precondition(offset >= 0 && offset &+ MemoryLayout<T>.size <= count)
        storeBytes(of: value.bigEndian, toByteOffset: offset, as: T.self)
    }

    /// `length` bytes from `offset`.
    @inlinable @inline(__always)
    public func slice(_ offset: Int, _ length: Int) -> UnsafeMutableRawBufferPointer {
        UnsafeMutableRawBufferPointer(rebasing: self[offset..<offset &+ length])
    }

    /// The bytes from `offset` to the end.
    @inlinable @inline(__always)
    public func dropping(_ offset: Int) -> UnsafeMutableRawBufferPointer {
        UnsafeMutableRawBufferPointer(rebasing: self[Swift.min(offset, count)...])
    }
}
