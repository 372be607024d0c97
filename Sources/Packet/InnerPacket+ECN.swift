extension InnerPacket {
    /// The sender understands no marks.
    public static let notECT: UInt8 = 0
    /// ECT(1), as L4S has it (RFC 9331).
    public static let ect1: UInt8 = 1
    /// Congestion was met.
    public static let ce: UInt8 = 3

    /// The two ECN bits of an IP packet (RFC 3168); 0 for what is none.
    @inlinable public static func ecn(of packet: UnsafeMutableRawBufferPointer) -> UInt8 {
        guard packet.count >= 20 else { return 0 }
        switch packet[0] >> 4 {
        case 4: return packet[1] & 3
        // The traffic class lies in the first and second byte; its last two bits are the second byte's bits 5 and 4.
        case 6: return packet[1] >> 4 & 3
        default: return 0
        }
    }

    /// Marks an IP packet as having met congestion, if its sender understands that (RFC 3168): ECT(0) and ECT(1) become CE.
    /// - Returns: whether the packet bears the mark now; false where only a drop can tell.
    public static func markCongestion(in packet: UnsafeMutableRawBufferPointer) -> Bool {
        guard ecn(of: packet) != notECT else { return false }
        setECN(ce, in: packet)
        return true
    }

    /// Carries the ECN bits of the datagram that a packet came in over to the packet (RFC 6040 section 4.2, figure 4).
    /// - Returns: false when it met congestion and can't be marked: then it has to be dropped.
    public static func combineECN(_ outer: UInt8, in packet: UnsafeMutableRawBufferPointer) -> Bool {
        let inner = ecn(of: packet)
        switch (outer, inner) {
        case (ce, notECT): return false
        // CE always wins, and what is Not-ECT stays so, whatever else the outer header says.
        case (ce, _): setECN(ce, in: packet)
        case (ect1, 2): setECN(ect1, in: packet)
        default: break
        }
        return true
    }

    private static func setECN(_ ecn: UInt8, in packet: UnsafeMutableRawBufferPointer) {
        guard packet[0] >> 4 == 4 else {
            packet[1] = packet[1] & ~0x30 | ecn << 4
            return
        }
        let old = packet[1]
        packet[1] = old & ~3 | ecn
        packet.storeBigEndian(
            Checksum.updated(
                UnsafeRawBufferPointer(packet).bigEndian(at: 10, as: UInt16.self), from: UInt16(old),
                to: UInt16(packet[1])), at: 10)
    }
}
