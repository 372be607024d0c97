import Packet

/// A repair symbol of the forward error correction: a linear combination of data payloads, from which a lost
/// one can be recovered. Its bytes follow the frame's fields.
public struct RepairFrame: Equatable, Sendable {
    /// The low 24 bits of the window's lowest sequence; the rest is inferred from the sequences received.
    public var first: UInt32
    /// The number of sequences in the window.
    public var count: UInt8
    /// Distinguishes repair symbols of the same window: the coefficients are derived from it.
    public var seed: UInt8
    /// The size of the symbol in bytes.
    public var symbolSize: Int

    /// Describes a repair symbol; `first` is truncated to 24 bits on the wire.
    public init(first: UInt64, count: UInt8, seed: UInt8, symbolSize: Int) {
        self.first = UInt32(truncatingIfNeeded: first & 0xFF_FFFF)
        self.count = count
        self.seed = seed
        self.symbolSize = symbolSize
    }

    init?(parsing body: UnsafeRawBufferPointer) {
        guard body.count > Wire.repairBodySize, body[3] > 0 else { return nil }
        first = body.bigEndian(at: 0, as: UInt32.self) >> 8
        count = body[3]
        seed = body[4]
        symbolSize = body.count - Wire.repairBodySize
    }

    /// The lowest sequence of the window: the one with these low bits closest to `sequence`.
    public func first(near sequence: UInt64) -> UInt64 {
        let distance = (UInt64(first) &- sequence) & 0xFF_FFFF
        if distance < 1 << 23 { return sequence &+ distance }
        let back = 1 << 24 &- distance
        return back <= sequence ? sequence &- back : sequence &+ distance
    }

    /// Writes the frame's 8 bytes in front of the symbol.
    /// - Precondition: `head` has `Wire.repairHeadSize` bytes, and the symbol fewer than 65,000.
    public func writeHead(to head: UnsafeMutableRawBufferPointer) {
        head[0] = FrameType.repair.rawValue
        head.storeBigEndian(UInt16(truncatingIfNeeded: Wire.repairBodySize + symbolSize), at: 1)
        head.storeBigEndian(first << 8 | UInt32(count), at: 3)
        head[7] = seed
    }
}
