import Packet

/// The decisions of a scripted peer, read from a fuzzer's bytes. Zeros follow the last byte.
struct Choices {
    private var rest: UnsafeRawBufferPointer

    init(_ bytes: UnsafeRawBufferPointer) { rest = bytes }

    /// Whether all bytes are used up.
    var isEmpty: Bool { rest.isEmpty }

    mutating func byte() -> UInt8 {
        guard let first = rest.first else { return 0 }
        rest = rest.dropping(1)
        return first
    }

    mutating func flag() -> Bool { byte() & 1 == 1 }

    /// A number below `count`, which is at most 256.
    mutating func below(_ count: Int) -> Int { Int(byte()) % count }

    /// A small number, or one near a power of two.
    mutating func word() -> UInt64 {
        let first = byte()
        if first < 128 { return UInt64(first) }
        return (1 << UInt64(first & 63)) &+ offset()
    }

    /// A number near `value`, or any.
    mutating func near(_ value: UInt64) -> UInt64 {
        byte() < 192 ? value &+ offset() : word()
    }

    private mutating func offset() -> UInt64 {
        UInt64(truncatingIfNeeded: Int64(Int8(bitPattern: byte())))
    }
}
