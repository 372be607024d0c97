import Packet

/// The IPv4 header of the hosts' packets, and the mapping of packets to flows. Checksums stay zero: nothing
/// between the hosts verifies them.
enum InnerHeader {
    static let size = 20
    static let udpSize = 8
    static let clientAddress = IPAddress(v4: 0x0A4D_0002)
    static let serverAddress = IPAddress(v4: 0x0A4D_0001)

    /// The two ECN bits in the second byte (RFC 3168).
    enum ECN {
        static let scalable: UInt8 = 1
        static let capable: UInt8 = 2
        static let congested: UInt8 = 3
    }

    enum Transport: UInt8 {
        case icmp = 1
        case tcp = 6
        case udp = 17
    }

    /// Writes the header, and the ports if there are any: `number` identifies the flow on both sides.
    @inline(__always)
    static func write(
        to packet: UnsafeMutableRawBufferPointer, length: Int, _ transport: Transport, from side: Side,
        flow number: Int
    ) {
        packet.storeBigEndian(UInt32(0x4500_0000) | UInt32(length), at: 0)
        packet.storeBigEndian(UInt32(0x0000_4000), at: 4)
        packet.storeBigEndian(UInt32(64) << 24 | UInt32(transport.rawValue) << 16, at: 8)
        let (source, destination) =
            side == .client ? (clientAddress, serverAddress) : (serverAddress, clientAddress)
        source.write(to: packet.dropping(12))
        destination.write(to: packet.dropping(16))
        switch transport {
        case .icmp:
            packet.storeBigEndian(UInt32(side == .client ? 0x0800_0000 : 0), at: 20)
            packet.storeBigEndian(UInt16(number), at: 24)
        case .tcp, .udp:
            let (near, far) = (UInt16(40000 + number), UInt16(5000 + number))
            packet.storeBigEndian(side == .client ? near : far, at: 20)
            packet.storeBigEndian(side == .client ? far : near, at: 22)
            if transport == .udp { packet.storeBigEndian(UInt32(length - size) << 16, at: 24) }
        }
    }

    /// The number of the flow of a packet that arrived at `side`.
    @inline(__always)
    static func flow(of packet: UnsafeRawBufferPointer, at side: Side) -> Int {
        if packet[9] == Transport.icmp.rawValue { return Int(packet.bigEndian(at: 24, as: UInt16.self)) }
        return Int(packet.bigEndian(at: 22, as: UInt16.self)) - (side == .client ? 40000 : 5000)
    }
}
