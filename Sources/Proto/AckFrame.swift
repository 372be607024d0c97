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
