import Packet

/// A packet of up to 64 KiB as the kernel hands it over with offloads, and the MTU-sized packets that it is cut into: what the
/// kernel's own segmentation would have made of it (RFC 9293; Linux' tcp_gso_segment).
///
/// Checksums stay partial: the transport checksum holds the pseudo header's sum, and whoever writes the packet to the far
/// TUN device says so. Where extension headers would hide the transport header from the far end, they are finished.
public struct Superpacket {
    /// Into how many packets it is cut; 1 for an ordinary packet.
    public let count: Int
    /// Whether the packets' transport checksums are partial.
    public let isPartial: Bool

    private let packet: UnsafeMutableRawBufferPointer
    private let header: OffloadHeader
    private let segmentSize: Int
    /// Where the transport header begins, and where the payload does.
    private let start: Int
    private let payload: Int

    /// Reads what the kernel wrote; nil when header and packet do not fit together.
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
    }

    /// Writes the `index`-th packet to `room`; nil when there is no room for it.
    /// - Returns: its length in bytes.
    public func write(_ index: Int, to room: UnsafeMutableRawBufferPointer) -> Int? {
        guard header.segments != .none else { return copyWhole(to: room) }
        let offset = index * segmentSize
        let size = min(segmentSize, packet.count - payload - offset)
        let length = payload + size
        guard length <= room.count else { return nil }
        let out = room.slice(0, length)
        out.slice(0, payload).copyMemory(from: UnsafeRawBufferPointer(packet.slice(0, payload)))
        out.dropping(payload).copyMemory(from: UnsafeRawBufferPointer(packet.slice(payload + offset, size)))
        finishIP(out, index)
        let isLast = index == count - 1
        let number = header.segments == .udp ? TransportHeader.udp : TransportHeader.tcp
        let transportLength = length - start
        if number == TransportHeader.tcp {
            let sequence = packet.bigEndianSequence(at: start + 4) &+ UInt32(truncatingIfNeeded: offset)
            out.storeBigEndian(sequence, at: start + 4)
            // FIN and PSH go with the last segment, CWR with the first (RFC 3168 6.1.2).
            if !isLast { out[start + 13] &= ~0x09 }
            if index > 0 { out[start + 13] &= ~0x80 }
        } else {
            out.storeBigEndian(UInt16(truncatingIfNeeded: transportLength), at: start + 4)
        }
        let pseudo = Checksum.pseudoHeader(
            of: UnsafeRawBufferPointer(out), protocol: number, length: transportLength)
        let checksumOffset = Int(header.checksumOffset)
        out.storeBigEndian(pseudo, at: start + checksumOffset)
        if !isPartial {
            Checksum.complete(out, start: start, offset: checksumOffset, isUDP: number == TransportHeader.udp)
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

    /// Length, and for IPv4 identification and checksum, of the `index`-th packet.
    private func finishIP(_ out: UnsafeMutableRawBufferPointer, _ index: Int) {
        if out[0] >> 4 == 4 {
            out.storeBigEndian(UInt16(truncatingIfNeeded: out.count), at: 2)
            let identification = UnsafeRawBufferPointer(packet).bigEndian(at: 4, as: UInt16.self)
            out.storeBigEndian(identification &+ UInt16(truncatingIfNeeded: index), at: 4)
            Checksum.finishIPv4(out.slice(0, Int(out[0] & 15) * 4))
        } else {
            out.storeBigEndian(UInt16(truncatingIfNeeded: out.count - 40), at: 4)
        }
    }
}

extension UnsafeMutableRawBufferPointer {
    fileprivate func bigEndianSequence(at offset: Int) -> UInt32 {
        UnsafeRawBufferPointer(self).bigEndian(at: offset, as: UInt32.self)
    }
}
