/// The internet checksum (RFC 1071).
public enum Checksum {
    /// The folded sum of big-endian 16-bit words, on top of `initial`; not complemented.
    @inlinable public static func sum(_ bytes: UnsafeRawBufferPointer, _ initial: UInt32 = 0) -> UInt16 {
        var total = UInt64(initial)
        var offset = 0
        while offset + 4 <= bytes.count {
            total &+= UInt64(bytes.bigEndian(at: offset, as: UInt32.self))
            offset += 4
        }
        if offset + 2 <= bytes.count {
            total &+= UInt64(bytes.bigEndian(at: offset, as: UInt16.self)) << 16
            offset += 2
            if offset < bytes.count { total &+= UInt64(bytes[offset]) << 8 }
        } else if offset < bytes.count {
            total &+= UInt64(bytes[offset]) << 24
        }
        return fold(total)
    }

    /// Folds a sum of 32-bit words into 16 bits.
    @inlinable public static func fold(_ sum: UInt64) -> UInt16 {
        var sum = (sum & 0xFFFF) &+ (sum >> 16 & 0xFFFF) &+ (sum >> 32)
        while sum > 0xFFFF { sum = (sum & 0xFFFF) &+ sum >> 16 }
        return UInt16(truncatingIfNeeded: sum)
    }

    /// The pseudo header's sum for `length` bytes of transport header and payload (RFC 9293 3.1, RFC 8200 8.1).
    @inlinable public static func pseudoHeader(
        of packet: UnsafeRawBufferPointer, protocol number: UInt8, length: Int
    ) -> UInt16 {
        let addresses = packet[0] >> 4 == 4 ? packet.slice(12, 8) : packet.slice(8, 32)
        return sum(addresses, UInt32(number) &+ UInt32(length))
    }

    /// Computes and stores the IPv4 header's checksum.
    @inlinable public static func finishIPv4(_ header: UnsafeMutableRawBufferPointer) {
        header.storeBigEndian(UInt16(0), at: 10)
        header.storeBigEndian(~sum(UnsafeRawBufferPointer(header)), at: 10)
    }

    /// Completes a partial checksum, which holds the pseudo header's sum.
    @inlinable public static func complete(
        _ packet: UnsafeMutableRawBufferPointer, start: Int, offset: Int, isUDP: Bool
    ) {
        guard start + offset + 2 <= packet.count else { return }
        let full = ~sum(UnsafeRawBufferPointer(packet.dropping(start)))
        // In UDP, zero means "none" (RFC 768).
        packet.storeBigEndian(isUDP && full == 0 ? 0xFFFF : full, at: start + offset)
    }

    /// A checksum updated for a change of one of the words it covers (RFC 1624, equation 3).
    @inlinable public static func updated(_ checksum: UInt16, from old: UInt16, to new: UInt16) -> UInt16 {
        ~fold(UInt64(~checksum) + UInt64(~old) + UInt64(new))
    }
}
