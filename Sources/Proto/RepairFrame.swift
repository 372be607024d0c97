import Packet

/// A repair symbol of the forward error correction: a sum of data payloads, each with its coefficient, from which one that was
/// lost can be had. Its bytes follow the frame's fields.
public struct RepairFrame: Equatable, Sendable {
    /// The low 24 bits of the window's lowest sequence: the rest follows from what has come.
    public var first: UInt32
    /// How many sequences the window has.
    public var count: UInt8
    /// Which of the windows of these sequences it is: the coefficients follow from it.
    public var seed: UInt8
    /// How many bytes the symbol has.
    public var symbolSize: Int

    /// A repair symbol's description; `first` is cut to 24 bits when it is written.
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

    /// The lowest sequence of the window: the one with these low bits that is closest to `sequence`.
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
