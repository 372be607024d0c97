extension InnerPacket {
    /// Lowers the maximum segment size in a TCP SYN to fit packets of `mtu` bytes, so that the flow respects
    /// the paths' MTU from its first segment. A SYN without the option announces the minimum (RFC 9293 section
    /// 3.7.1) and stays unchanged, like all other packets.
    public static func clampSegments(
        in packet: UnsafeMutableRawBufferPointer, to mtu: Int, hasPartialChecksum: Bool
    ) {
        guard packet.count >= 40 else { return }
        let isIPv4 = packet[0] >> 4 == 4
        guard packet[isIPv4 ? 9 : 6] == 6 else { return }
        let start = isIPv4 ? Int(packet[0] & 15) * 4 : 40
        guard start >= 20, packet.count >= start + 20, packet[start + 13] & 0x02 != 0 else { return }
        let bytes = UnsafeRawBufferPointer(packet)
        // A fragment other than the first has no TCP header.
        if isIPv4 && bytes.bigEndian(at: 6, as: UInt16.self) & 0x1FFF != 0 { return }
        let end = min(start + Int(packet[start + 12] >> 4) * 4, packet.count)
        guard let offset = segmentSizeOption(in: bytes, start + 20, end) else { return }
        // The segment size excludes TCP and IP headers without options (RFC 6691).
        let size = max(mtu - (isIPv4 ? 40 : 60), 64)
        let old = bytes.bigEndian(at: offset, as: UInt16.self)
        guard Int(old) > size else { return }
        let new = UInt16(size)
        packet.storeBigEndian(new, at: offset)
        // A partial checksum holds only the pseudo header's sum and does not cover it.
        if hasPartialChecksum { return }
        // At an odd offset the two bytes belong to two words, but the sum of byte-swapped words is the
        // byte-swapped sum.
        let isOdd = (offset - start) & 1 == 1
        let checksum = bytes.bigEndian(at: start + 16, as: UInt16.self)
        packet.storeBigEndian(
            Checksum.updated(
                checksum, from: isOdd ? old.byteSwapped : old, to: isOdd ? new.byteSwapped : new),
            at: start + 16)
    }

    /// The offset of the maximum segment size option's value between `start` and `end`.
    private static func segmentSizeOption(
        in bytes: UnsafeRawBufferPointer, _ start: Int, _ end: Int
    ) -> Int? {
        var offset = start
        while offset + 4 <= end {
            switch bytes[offset] {
            case 0: return nil
            case 1: offset += 1
            case 2: return bytes[offset + 1] == 4 ? offset + 2 : nil
            default:
                guard bytes[offset + 1] >= 2 else { return nil }
                offset += Int(bytes[offset + 1])
            }
        }
        return nil
    }
}
