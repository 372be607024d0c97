import Packet

/// The position of a packet's TCP or UDP header directly after the IP header: the checksum of such packets may
/// stay partial inside the tunnel, as the far end locates it by the same rule.
struct TransportHeader {
    static let tcp: UInt8 = 6
    static let udp: UInt8 = 17

    /// The offset of the header.
    let start: Int
    let isTCP: Bool
    /// The length of IP and transport headers together.
    let end: Int

    /// The offset of the checksum, relative to `start`.
    var checksumOffset: Int { isTCP ? 16 : 6 }

    /// Locates the header; nil for fragments, extension headers, other transports and truncated packets.
    init?(in packet: UnsafeRawBufferPointer) {
        guard packet.count >= 28 else { return nil }
        let number: UInt8
        if packet[0] >> 4 == 4 {
            start = Int(packet[0] & 15) * 4
            guard start >= 20, packet.bigEndian(at: 6, as: UInt16.self) & 0x3FFF == 0 else { return nil }
            number = packet[9]
        } else {
            start = 40
            number = packet[6]
        }
        switch number {
        case Self.tcp:
            guard packet.count >= start + 20 else { return nil }
            isTCP = true
            end = start + Int(packet[start + 12] >> 4) * 4
            guard end >= start + 20 else { return nil }
        case Self.udp:
            isTCP = false
            end = start + 8
        default: return nil
        }
        guard packet.count >= end else { return nil }
    }
}
