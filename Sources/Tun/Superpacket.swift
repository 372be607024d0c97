import Packet

/// A packet of up to 64 KiB from the kernel with offloads, and the MTU-sized packets it is cut into: the same
/// as the kernel's own segmentation would produce (RFC 9293; Linux' tcp_gso_segment).
///
/// Checksums stay partial: the transport checksum holds the pseudo header's sum, and the far end says so when
/// it writes the packet to its TUN device. If extension headers would hide the transport header from the far
/// end, they are completed.
public struct Superpacket {
    /// The number of packets it is cut into; 1 for an ordinary packet.
    public let count: Int
    /// Whether the packets' transport checksums are partial.
    public let isPartial: Bool

    /// The header fields common to all packets it is cut into; nil if it is not cut.
    public var flow: InnerPacket? { count > 1 ? InnerPacket(parsing: UnsafeRawBufferPointer(packet)) : nil }

    private let packet: UnsafeMutableRawBufferPointer
    private let header: OffloadHeader
    private let segmentSize: Int
    /// The offsets of the transport header and of the payload.
    private let start: Int
    private let payload: Int
    // The original header fields, and the sums of the parts common to all packets' headers.
    private var identification: UInt16 = 0
    private var addressSum: UInt64 = 0
    private var pseudoSum: UInt64 = 0
    private var sequence: UInt32 = 0
    private var flags: UInt8 = 0

    /// Parses a packet from the kernel; nil if header and packet do not match.
    public init?(_ header: OffloadHeader, _ packet: UnsafeMutableRawBufferPointer) {
        guard packet.count >= 20 else { return nil }
        self.packet = packet
        self.header = header
        start = Int(header.checksumStart)
        let simple = TransportHeader(in: UnsafeRawBufferPointer(packet))
        isPartial =
            header.needsChecksum && simple?.start == start
            && simple?.checksumOffset == Int(header.checksumOffset)
        if header.segments == .none {
            segmentSize = packet.count
            count = 1
            payload = 0
            guard !header.needsChecksum || start + Int(header.checksumOffset) + 2 <= packet.count else {
                return nil
            }
            return
        }
        let isTCP = header.segments != .udp
        segmentSize = Int(header.segmentSize)
        guard header.needsChecksum, segmentSize > 0, start >= 20, packet.count >= start + (isTCP ? 20 : 8)
        else { return nil }
        payload = start + (isTCP ? Int(packet[start + 12] >> 4) * 4 : 8)
        let isIPv4 = packet[0] >> 4 == 4
        let ipLength = isIPv4 ? Int(packet[0] & 15) * 4 : 40
        guard ipLength >= (isIPv4 ? 20 : 40), start >= ipLength, payload >= start + (isTCP ? 20 : 8),
            start + Int(header.checksumOffset) + 2 <= payload, packet.count > payload
        else { return nil }
        count = (packet.count - payload + segmentSize - 1) / segmentSize
        let bytes = UnsafeRawBufferPointer(packet)
        if isIPv4 {
            identification = bytes.bigEndian(at: 4, as: UInt16.self)
            packet.storeBigEndian(UInt16(0), at: 2)
            packet.storeBigEndian(UInt16(0), at: 4)
            packet.storeBigEndian(UInt16(0), at: 10)
            addressSum = UInt64(Checksum.sum(bytes.slice(0, ipLength)))
        }
        let number = isTCP ? TransportHeader.tcp : TransportHeader.udp
        pseudoSum = UInt64(Checksum.pseudoHeader(of: bytes, protocol: number, length: 0))
        if isTCP {
            sequence = bytes.bigEndian(at: start + 4, as: UInt32.self)
            flags = bytes[start + 13]
        }
    }

    /// Writes the `index`-th packet to `room`; nil if it does not fit.
    /// - Returns: its length in bytes.
    public func write(_ index: Int, to room: UnsafeMutableRawBufferPointer) -> Int? {
        guard header.segments != .none else { return copyWhole(to: room) }
        let offset = index * segmentSize
        let size = min(segmentSize, packet.count - payload - offset)
        let length = payload + size
        guard length <= room.count else { return nil }
        // The headers are built in place in the superpacket, and then copied to the new packet.
        finishIP(length, index)
        finishTransport(length - start, offset, index)
        let out = room.slice(0, length)
        out.slice(0, payload).copyMemory(from: UnsafeRawBufferPointer(packet.slice(0, payload)))
        out.dropping(payload).copyMemory(from: UnsafeRawBufferPointer(packet.slice(payload + offset, size)))
        if !isPartial {
            Checksum.complete(
                out, start: start, offset: Int(header.checksumOffset), isUDP: header.segments == .udp)
        }
        return length
    }

    private func copyWhole(to room: UnsafeMutableRawBufferPointer) -> Int? {
        guard packet.count <= room.count else { return nil }
        let out = room.slice(0, packet.count)
        out.copyMemory(from: UnsafeRawBufferPointer(packet))
        if header.needsChecksum && !isPartial {
            Checksum.complete(
                out, start: start, offset: Int(header.checksumOffset), isUDP: header.checksumOffset == 6)
        }
        return packet.count
    }

    /// Sets the length, and for IPv4 identification and checksum, of the `index`-th packet.
    private func finishIP(_ length: Int, _ index: Int) {
        if packet[0] >> 4 == 4 {
            let number = identification &+ UInt16(truncatingIfNeeded: index)
            packet.storeBigEndian(UInt16(truncatingIfNeeded: length), at: 2)
            packet.storeBigEndian(number, at: 4)
            packet.storeBigEndian(~Checksum.fold(addressSum + UInt64(length) + UInt64(number)), at: 10)
        } else {
            packet.storeBigEndian(UInt16(truncatingIfNeeded: length - 40), at: 4)
        }
    }

    /// Sets sequence and flags for TCP, the length for UDP, and the pseudo header's sum.
    private func finishTransport(_ length: Int, _ offset: Int, _ index: Int) {
        if header.segments == .udp {
            packet.storeBigEndian(UInt16(truncatingIfNeeded: length), at: start + 4)
        } else {
            packet.storeBigEndian(sequence &+ UInt32(truncatingIfNeeded: offset), at: start + 4)
            // FIN and PSH belong in the last segment, CWR in the first (RFC 3168 6.1.2).
            packet[start + 13] = flags & (index == count - 1 ? 0xFF : ~0x09) & (index > 0 ? ~0x80 : 0xFF)
        }
        packet.storeBigEndian(
            Checksum.fold(pseudoSum + UInt64(length)), at: start + Int(header.checksumOffset))
    }
}
