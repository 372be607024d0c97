extension InnerPacket {
    /// Writes the ICMP error that tells a packet's sender the path's MTU: "fragmentation needed"
    /// (RFC 1191 section 4) or "packet too big" (RFC 4443 section 3.2).
    ///
    /// Its source is the packet's destination, as for the errors of Linux' own tunnels
    /// (iptunnel_pmtud_build_icmp): the kernel would treat an address of this host as forged.
    /// - Returns: the error's length in bytes; nil if none may be sent, as for ICMP errors and multicast packets.
    public static func writeTooBig(
        about packet: UnsafeRawBufferPointer, mtu: Int, to room: UnsafeMutableRawBufferPointer
    ) -> Int? {
        guard let about = InnerPacket(parsing: packet), mayBeAnswered(packet) else { return nil }
        return about.source.family == .v4
            ? writeFragmentationNeeded(about, packet, mtu, room) : writePacketTooBig(about, packet, mtu, room)
    }

    /// ICMP errors, fragments other than the first, and packets to several receivers or without a single sender
    /// get no error (RFC 1122 section 3.2.2, RFC 4443 section 2.4).
    private static func mayBeAnswered(_ packet: UnsafeRawBufferPointer) -> Bool {
        if packet[0] >> 4 == 4 {
            let start = Int(packet[0] & 15) * 4
            if packet.bigEndian(at: 6, as: UInt16.self) & 0x1FFF != 0 { return false }
            // Multicast, broadcast and reserved destinations and sources; 0.0.0.0/8 as a source.
            if packet[16] >= 224 || packet[12] >= 224 || packet[12] == 0 { return false }
            guard packet[9] == 1 else { return true }
            return packet.count > start && (packet[start] == 8 || packet[start] == 0)
        }
        if packet[24] == 0xFF || packet[8] == 0xFF || packet.slice(8, 16).allSatisfy({ $0 == 0 }) {
            return false
        }
        return packet[6] != 58 || packet.count > 40 && packet[40] >= 128
    }

    private static func writeFragmentationNeeded(
        _ about: InnerPacket, _ packet: UnsafeRawBufferPointer, _ mtu: Int,
        _ room: UnsafeMutableRawBufferPointer
    ) -> Int? {
        // As much of the packet as makes up 576 bytes (RFC 1812 section 4.3.2.3).
        let quoted = min(about.length, 576 - 28)
        let length = 28 + quoted
        guard room.count >= length else { return nil }
        let out = room.slice(0, length)
        out.slice(0, 28).initializeMemory(as: UInt8.self, repeating: 0)
        out[0] = 0x45
        // Internetwork control (RFC 1812 section 4.3.2.5).
        out[1] = 0xC0
        out.storeBigEndian(UInt16(length), at: 2)
        out[8] = 64
        out[9] = 1
        about.destination.write(to: out.dropping(12))
        about.source.write(to: out.dropping(16))
        Checksum.finishIPv4(out.slice(0, 20))
        out[20] = 3
        out[21] = 4
        out.storeBigEndian(UInt16(clamping: mtu), at: 26)
        out.dropping(28).copyMemory(from: packet.slice(0, quoted))
        out.storeBigEndian(~Checksum.sum(UnsafeRawBufferPointer(out.dropping(20))), at: 22)
        return length
    }

    private static func writePacketTooBig(
        _ about: InnerPacket, _ packet: UnsafeRawBufferPointer, _ mtu: Int,
        _ room: UnsafeMutableRawBufferPointer
    ) -> Int? {
        // As much of the packet as fits the minimum MTU (RFC 4443 section 3.2).
        let quoted = min(about.length, 1280 - 48)
        let length = 48 + quoted
        guard room.count >= length else { return nil }
        let out = room.slice(0, length)
        out.slice(0, 48).initializeMemory(as: UInt8.self, repeating: 0)
        out[0] = 0x60
        out.storeBigEndian(UInt16(length - 40), at: 4)
        out[6] = 58
        out[7] = 64
        about.destination.write(to: out.dropping(8))
        about.source.write(to: out.dropping(24))
        out[40] = 2
        out.storeBigEndian(UInt32(clamping: mtu), at: 44)
        out.dropping(48).copyMemory(from: packet.slice(0, quoted))
        let pseudo = Checksum.pseudoHeader(
            of: UnsafeRawBufferPointer(out), protocol: 58, length: length - 40)
        out.storeBigEndian(
            ~Checksum.sum(UnsafeRawBufferPointer(out.dropping(40)), UInt32(pseudo) << 16), at: 42)
        return length
    }
}
