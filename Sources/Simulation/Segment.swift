import Packet

/// A TCP segment of the simulated flows as it is in the packet: IPv4, TCP with time stamps and up to three SACK
/// blocks.
struct Segment {
    /// Bytes of IPv4 and TCP headers with time stamps.
    static let headerSize = 52
    /// Bytes of payload of a full segment: 1400 in the tunnel less the headers.
    static let payload = 1348
    /// Maximum number of SACK blocks that fit next to time stamps.
    static let maximumBlocks = 3

    /// A run of segments, by number.
    struct Block: Equatable {
        var start: Int
        var end: Int
    }

    /// In segments rather than bytes: the segment's number for data, 0 for an ACK.
    var sequence = 0
    /// The next segment expected by the receiver.
    var acknowledged = 0
    /// The sender's clock in ms.
    var timestamp: UInt32 = 0
    /// The peer's clock when it sent the segment answered here.
    var echo: UInt32 = 0
    /// The ECN bits in the IP header, and the two flags in the TCP header.
    var ecn: UInt8 = 0
    var echoesCongestion = false
    var hasReducedWindow = false
    /// The number of marked segments that have arrived, as accurate ECN feedback counts them; modulo 2¹⁶.
    var marks: UInt16 = 0
    /// The SACK blocks. The first is a duplicate (RFC 2883) if it is below `acknowledged` or within the second.
    var blocks: [Block] = []

    /// Writes the headers of an ACK or a data segment.
    func write(to packet: UnsafeMutableRawBufferPointer, from side: Side, flow: Int) {
        InnerHeader.write(to: packet, length: packet.count, .tcp, from: side, flow: flow)
        packet.storeBigEndian(UInt32(truncatingIfNeeded: sequence * Self.payload), at: 24)
        packet.storeBigEndian(UInt32(truncatingIfNeeded: acknowledged * Self.payload), at: 28)
        // Header length, ACK flag (no PSH, as the stream has no end), window.
        packet.storeBigEndian(UInt32(Self.size(blocks.count) - 20) << 26 | 0x0010_FFFF, at: 32)
        packet[1] = ecn
        packet[33] |= (hasReducedWindow ? 0x80 : 0) | (echoesCongestion ? 0x40 : 0)
        // The checksum, and the urgent pointer's place, which carries the count of marks.
        packet.storeBigEndian(UInt32(marks), at: 36)
        packet.storeBigEndian(UInt32(0x0101_080A), at: 40)
        packet.storeBigEndian(timestamp, at: 44)
        packet.storeBigEndian(echo, at: 48)
        guard !blocks.isEmpty else { return }
        packet.storeBigEndian(UInt32(0x0101_0500) | UInt32(2 + blocks.count * 8), at: 52)
        for (i, block) in blocks.enumerated() {
            packet.storeBigEndian(UInt32(truncatingIfNeeded: block.start * Self.payload), at: 56 + i * 8)
            packet.storeBigEndian(UInt32(truncatingIfNeeded: block.end * Self.payload), at: 60 + i * 8)
        }
    }

    /// Reads the headers into an existing segment, so that nothing is allocated.
    mutating func read(_ packet: UnsafeRawBufferPointer) {
        sequence = Int(packet.bigEndian(at: 24, as: UInt32.self)) / Self.payload
        acknowledged = Int(packet.bigEndian(at: 28, as: UInt32.self)) / Self.payload
        timestamp = packet.bigEndian(at: 44, as: UInt32.self)
        echo = packet.bigEndian(at: 48, as: UInt32.self)
        marks = packet.bigEndian(at: 38, as: UInt16.self)
        ecn = packet[1] & 3
        hasReducedWindow = packet[33] & 0x80 != 0
        echoesCongestion = packet[33] & 0x40 != 0
        blocks.removeAll(keepingCapacity: true)
        let header = 20 + Int(packet[32] >> 4) * 4
        guard header > Self.headerSize else { return }
        for i in 0..<(header - 56) / 8 {
            blocks.append(
                Block(
                    start: Int(packet.bigEndian(at: 56 + i * 8, as: UInt32.self)) / Self.payload,
                    end: Int(packet.bigEndian(at: 60 + i * 8, as: UInt32.self)) / Self.payload))
        }
    }

    /// Bytes of the headers with this many SACK blocks.
    static func size(_ blocks: Int) -> Int { headerSize + (blocks == 0 ? 0 : 4 + blocks * 8) }
}
