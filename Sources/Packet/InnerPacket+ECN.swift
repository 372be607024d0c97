extension InnerPacket {
    /// Marks an IP packet as having met congestion, if its sender understands that (RFC 3168): ECT(0) and ECT(1) become CE.
    /// - Returns: whether the packet bears the mark now; false where only a drop can tell.
    public static func markCongestion(in packet: UnsafeMutableRawBufferPointer) -> Bool {
        guard packet.count >= 20 else { return false }
        switch packet[0] >> 4 {
        case 4:
            let old = packet[1]
            if old & 3 == 0 { return false }
            packet[1] = old | 3
            // The header's checksum, brought up to date (RFC 1624, equation 3).
            let checksum = UInt16(packet[10]) << 8 | UInt16(packet[11])
            var sum = UInt32(~checksum) + UInt32(~UInt16(old)) + UInt32(old | 3)
            sum = (sum & 0xFFFF) + sum >> 16
            sum = (sum & 0xFFFF) + sum >> 16
            let updated = ~UInt16(truncatingIfNeeded: sum)
            packet[10] = UInt8(updated >> 8)
            packet[11] = UInt8(updated & 0xFF)
            return true
        case 6:
            // The traffic class lies in the first and second byte; its last two bits are the second byte's bits 5 and 4.
            if packet[1] & 0x30 == 0 { return false }
            packet[1] |= 0x30
            return true
        default: return false
        }
    }
}
