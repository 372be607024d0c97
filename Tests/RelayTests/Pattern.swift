/// Bytes that depend on their position, so that none can be lost, duplicated or swapped unnoticed.
enum Pattern {
    /// The bytes from `start` on.
    static func bytes(_ start: Int, _ count: Int) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: count) { room, size in
            for index in 0..<count { room[index] = byte(start + index) }
            size = count
        }
    }

    /// Whether the next bytes are the first `size` ones of the pattern.
    static func matches(_ wire: Wire, _ size: Int) -> Bool {
        var position = 0
        while position < size {
            guard let part = wire.read(min(1 << 20, size - position)), !part.isEmpty else { return false }
            for (index, byte) in part.enumerated() where byte != self.byte(position + index) { return false }
            position += part.count
        }
        return true
    }

    /// The byte at that position: its number, well mixed (Knuth's multiplicative hashing).
    private static func byte(_ index: Int) -> UInt8 {
        UInt8(truncatingIfNeeded: (UInt64(truncatingIfNeeded: index) &* 0x9E37_79B9_7F4A_7C15) >> 40)
    }
}
