import Packet

/// Acknowledges the datagrams of a path, with their arrival times: the only input of the sender's model of the
/// path.
public struct AckFrame: Equatable, Sendable {
    /// The path whose packet numbers these are; an ACK may arrive on another one.
    public var pathID: UInt16
    /// The highest packet number that arrived, 48 bits.
    public var highest: UInt64
    /// 256 bits below it: bit i, counted from the least significant of `.0`, says that `highest - 1 - i` arrived.
    public var map: (UInt64, UInt64, UInt64, UInt64)
    /// Datagrams that arrived on the path since it began, wrapping.
    public var packetsReceived: UInt64
    /// Bytes of UDP payload that arrived on the path since it began, wrapping.
    public var bytesReceived: UInt64
    /// When `highest` arrived, in µs on the receiver's clock.
    public var receiveTime: UInt64
    /// From that moment until this ACK was written, in µs.
    public var delay: UInt32

    /// Creates an ACK; `highest` is truncated to 48 bits on the wire.
    @inlinable public init(
        pathID: UInt16, highest: UInt64, map: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0),
        packetsReceived: UInt64 = 0, bytesReceived: UInt64 = 0, receiveTime: UInt64 = 0, delay: UInt32 = 0
    ) {
        self.pathID = pathID
        self.highest = highest
        self.map = map
        self.packetsReceived = packetsReceived
        self.bytesReceived = bytesReceived
        self.receiveTime = receiveTime
        self.delay = delay
    }

    /// Whether this ACK acknowledges `packetNumber`. Also false for numbers below the map.
    @inlinable public func isAcknowledged(_ packetNumber: UInt64) -> Bool {
        guard packetNumber < highest else { return packetNumber == highest }
        let bit = highest &- 1 &- packetNumber
        guard bit < 256 else { return false }
        let word =
            switch bit >> 6 {
            case 0: map.0
            case 1: map.1
            case 2: map.2
            default: map.3
            }
        return word >> (bit & 63) & 1 == 1
    }

    /// Whether all fields are equal. (A tuple keeps Swift from synthesizing this.)
    public static func == (a: AckFrame, b: AckFrame) -> Bool {
        a.pathID == b.pathID && a.highest == b.highest && a.map == b.map
            && a.packetsReceived == b.packetsReceived && a.bytesReceived == b.bytesReceived
            && a.receiveTime == b.receiveTime && a.delay == b.delay
    }

    init?(parsing body: UnsafeRawBufferPointer) {
        guard body.count >= Wire.ackBodySize else { return nil }
        let start = body.bigEndian(at: 0, as: UInt64.self)
        pathID = UInt16(truncatingIfNeeded: start >> 48)
        highest = start & Wire.maximumPacketNumber
        map = (
            body.bigEndian(at: 8, as: UInt64.self), body.bigEndian(at: 16, as: UInt64.self),
            body.bigEndian(at: 24, as: UInt64.self), body.bigEndian(at: 32, as: UInt64.self)
        )
        packetsReceived = body.bigEndian(at: 40, as: UInt64.self)
        bytesReceived = body.bigEndian(at: 48, as: UInt64.self)
        receiveTime = body.bigEndian(at: 56, as: UInt64.self)
        delay = body.bigEndian(at: 64, as: UInt32.self)
    }

    func write(to body: UnsafeMutableRawBufferPointer) {
        body.storeBigEndian(UInt64(pathID) << 48 | highest & Wire.maximumPacketNumber, at: 0)
        body.storeBigEndian(map.0, at: 8)
        body.storeBigEndian(map.1, at: 16)
        body.storeBigEndian(map.2, at: 24)
        body.storeBigEndian(map.3, at: 32)
        body.storeBigEndian(packetsReceived, at: 40)
        body.storeBigEndian(bytesReceived, at: 48)
        body.storeBigEndian(receiveTime, at: 56)
        body.storeBigEndian(delay, at: 64)
    }
}

/// One end's settings and state of a path, so that the other end treats it alike. The path's name follows, as
/// the reader's `tail`; peers before its introduction omit it.
public struct PathStatusFrame: Equatable, Sendable {
    /// The path.
    public var pathID: UInt16
    /// 0 primary, 1 backup, 2 metered, 3 never. An unknown role counts as never.
    public var role: UInt8
    /// Whether the path is known to be down, for example because its interface lost its carrier.
    public var down: Bool
    /// Maximum sending rate on the path, in Mbit/s; 0 means no cap.
    public var capMbit: UInt16
    /// Whether the path has used up its data allowance for the month.
    public var isSpent: Bool

    /// The status of a path.
    public init(pathID: UInt16, role: UInt8, down: Bool, capMbit: UInt16 = 0, isSpent: Bool = false) {
        self.pathID = pathID
        self.role = role
        self.down = down
        self.capMbit = capMbit
        self.isSpent = isSpent
    }

    init?(parsing body: UnsafeRawBufferPointer) {
        guard body.count >= Wire.pathStatusBodySize else { return nil }
        pathID = body.bigEndian(at: 0, as: UInt16.self)
        role = body[2]
        down = body[3] & 1 == 1
        isSpent = body[3] & 2 == 2
        capMbit = body.bigEndian(at: 4, as: UInt16.self)
    }

    func write(to body: UnsafeMutableRawBufferPointer) {
        body.storeBigEndian(pathID, at: 0)
        body[2] = role
        body[3] = (down ? 1 : 0) | (isSpent ? 2 : 0)
        body.storeBigEndian(capMbit, at: 4)
    }
}

/// The mode in which one end wants to receive. Its program's version follows, as the reader's `tail`; versions
/// before 0.2 omit it.
public struct ModeFrame: Equatable, Sendable {
    /// 0 auto, 1 stripe, 2 preferred, 3 redundant. An unknown mode is ignored.
    public var mode: UInt8
    /// In redundant mode, how many paths carry each packet; 0 means all. Peers before its introduction omit it,
    /// which means the same.
    public var redundantPaths: UInt8

    /// A mode and its number of paths.
    public init(mode: UInt8, redundantPaths: UInt8 = 0) {
        self.mode = mode
        self.redundantPaths = redundantPaths
    }

    init?(parsing body: UnsafeRawBufferPointer) {
        guard !body.isEmpty else { return nil }
        mode = body[0]
        redundantPaths = body.count > 1 ? body[1] : 0
    }

    func write(to body: UnsafeMutableRawBufferPointer) {
        body[0] = mode
        body[1] = redundantPaths
    }
}

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

/// Asks the server to send test packets for a short time and to report how many it has received from the
/// client. The client repeats the request to continue.
public struct BenchFrame: Equatable, Sendable {
    /// The value of `pathID` that stands for all paths.
    public static let everyPath = UInt16.max

    /// The path to send on.
    public var pathID: UInt16
    /// Duration in ms; 0 requests no packets.
    public var milliseconds: UInt16

    /// A request for test packets and a count.
    public init(pathID: UInt16 = everyPath, milliseconds: UInt16) {
        self.pathID = pathID
        self.milliseconds = milliseconds
    }

    init?(parsing body: UnsafeRawBufferPointer) {
        guard body.count >= Wire.benchBodySize else { return nil }
        pathID = body.bigEndian(at: 0, as: UInt16.self)
        milliseconds = body.bigEndian(at: 2, as: UInt16.self)
    }

    func write(to body: UnsafeMutableRawBufferPointer) {
        body.storeBigEndian(pathID, at: 0)
        body.storeBigEndian(milliseconds, at: 2)
    }
}

/// The number of test bytes received.
public struct BenchCountFrame: Equatable, Sendable {
    /// The sender's clock in µs.
    public var time: UInt64
    /// Bytes of inner packets received during the session, not counting duplicates.
    public var bytes: UInt64

    /// A count at a time.
    public init(time: UInt64, bytes: UInt64) { (self.time, self.bytes) = (time, bytes) }

    init?(parsing body: UnsafeRawBufferPointer) {
        guard body.count >= Wire.benchCountBodySize else { return nil }
        time = body.bigEndian(at: 0, as: UInt64.self)
        bytes = body.bigEndian(at: 8, as: UInt64.self)
    }

    func write(to body: UnsafeMutableRawBufferPointer) {
        body.storeBigEndian(time, at: 0)
        body.storeBigEndian(bytes, at: 8)
    }
}
