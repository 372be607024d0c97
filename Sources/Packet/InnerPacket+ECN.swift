extension InnerPacket {
    /// Not-ECT: the sender does not support ECN.
    public static let notECT: UInt8 = 0
    /// ECT(1), as used by L4S (RFC 9331).
    public static let ect1: UInt8 = 1
    /// CE: congestion experienced.
    public static let ce: UInt8 = 3

    /// The two ECN bits of an IP packet (RFC 3168); 0 if it is not one.
    @inlinable public static func ecn(of packet: UnsafeMutableRawBufferPointer) -> UInt8 {
        guard packet.count >= 20 else { return 0 }
        switch packet[0] >> 4 {
        case 4: return packet[1] & 3
        // The traffic class spans the first and second byte; its last two bits are bits 5 and 4 of the second
        // byte.
        case 6: return packet[1] >> 4 & 3
        default: return 0
        }
    }

    /// Marks an IP packet with congestion experienced if its sender supports ECN (RFC 3168): ECT(0) and ECT(1)
    /// become CE.
    /// - Returns: whether the packet is marked now; if not, congestion can only be signalled by dropping it.
    public static func markCongestion(in packet: UnsafeMutableRawBufferPointer) -> Bool {
        guard ecn(of: packet) != notECT else { return false }
        setECN(ce, in: packet)
        return true
    }

    /// Applies the ECN bits of the outer datagram to the packet it carried (RFC 6040 section 4.2, figure 4).
    /// - Returns: false if the datagram was marked and the packet cannot be, so that it has to be dropped.
    public static func combineECN(_ outer: UInt8, in packet: UnsafeMutableRawBufferPointer) -> Bool {
        let inner = ecn(of: packet)
        switch (outer, inner) {
        case (ce, notECT): return false
        // CE always wins, and Not-ECT stays Not-ECT otherwise, regardless of the outer header.
        case (ce, _): setECN(ce, in: packet)
        case (ect1, 2): setECN(ect1, in: packet)
        default: break
        }
        return true
    }

    /// Sets the DSCP of an IP packet to 0, the default (RFC 2474); its ECN bits stay.
    public static func clearCodepoint(in packet: UnsafeMutableRawBufferPointer) {
        guard packet.count >= 20 else { return }
        switch packet[0] >> 4 {
        case 4: setService(packet[1] & 3, in: packet)
        case 6:
            packet[0] &= 0xF0
            packet[1] &= 0x3F
        default: break
        }
    }

    private static func setECN(_ ecn: UInt8, in packet: UnsafeMutableRawBufferPointer) {
        guard packet[0] >> 4 == 4 else {
            packet[1] = packet[1] & ~0x30 | ecn << 4
            return
        }
        setService(packet[1] & ~3 | ecn, in: packet)
    }

    /// Sets the second byte of an IPv4 header, and its checksum.
    private static func setService(_ service: UInt8, in packet: UnsafeMutableRawBufferPointer) {
        let old = packet[1]
        packet[1] = service
        packet.storeBigEndian(
            Checksum.updated(
                UnsafeRawBufferPointer(packet).bigEndian(at: 10, as: UInt16.self), from: UInt16(old),
                to: UInt16(packet[1])), at: 10)
    }
}
