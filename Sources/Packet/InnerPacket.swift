/// What an inner IP packet says of itself: a checked view, read once when the packet enters.
public struct InnerPacket: Sendable {
    /// Where it comes from.
    public let source: IPAddress
    /// Where it goes.
    public let destination: IPAddress
    /// Identifies the flow: the same for both families' 5-tuples, or 3-tuple where there are no ports.
    public let flow: UInt32
    /// The class that the scheduler and the reorder buffer treat it by.
    public let trafficClass: TrafficClass
    /// The length the IP header states, in bytes; what follows it in the buffer is padding.
    public let length: Int

    /// Reads the headers; nil when `bytes` is not a whole IPv4 or IPv6 packet.
    public init?(parsing bytes: UnsafeRawBufferPointer) {
        guard bytes.count >= 20 else { return nil }
        let transportProtocol: UInt8
        let ports: Int
        // DSCP and ECN.
        let service: UInt8
        let hasPorts: Bool
        switch bytes[0] >> 4 {
        case 4:
            let headerLength = Int(bytes[0] & 15) * 4
            length = Int(bytes.bigEndian(at: 2, as: UInt16.self))
            guard headerLength >= 20, length >= headerLength, length <= bytes.count else { return nil }
            source = IPAddress(.v4, bytes: bytes.dropping(12))
            destination = IPAddress(.v4, bytes: bytes.dropping(16))
            transportProtocol = bytes[9]
            service = bytes[1]
            ports = headerLength
            // A fragment has ports only in the first piece: all of them go by the 3-tuple.
            hasPorts = bytes.bigEndian(at: 6, as: UInt16.self) & 0x3FFF == 0
        case 6:
            guard bytes.count >= 40 else { return nil }
            length = 40 + Int(bytes.bigEndian(at: 4, as: UInt16.self))
            guard length <= bytes.count else { return nil }
            source = IPAddress(.v6, bytes: bytes.dropping(8))
            destination = IPAddress(.v6, bytes: bytes.dropping(24))
            transportProtocol = bytes[6]
            service = UInt8(truncatingIfNeeded: bytes.bigEndian(at: 0, as: UInt16.self) >> 4)
            ports = 40
            hasPorts = true
        default: return nil
        }
        // TCP, UDP, DCCP, SCTP and UDP-Lite begin with the two ports.
        let carriesPorts: Bool
        switch transportProtocol {
        case 6, 17, 33, 132, 136: carriesPorts = hasPorts && length >= ports + 4
        default: carriesPorts = false
        }
        let portPair = carriesPorts ? bytes.bigEndian(at: ports, as: UInt32.self) : 0
        var hash = source.high &* 0x9E37_79B9_7F4A_7C15
        hash = (hash ^ source.low) &* 0xBF58_476D_1CE4_E5B9
        hash = (hash ^ hash >> 31 ^ destination.high) &* 0x94D0_49BB_1331_11EB
        hash = (hash ^ hash >> 29 ^ destination.low) &* 0x9E37_79B9_7F4A_7C15
        hash =
            (hash ^ hash >> 32 ^ UInt64(portPair) ^ UInt64(transportProtocol) << 32) &* 0xBF58_476D_1CE4_E5B9
        flow = UInt32(truncatingIfNeeded: hash >> 32 ^ hash)
        trafficClass = service >> 2 == 46 ? .realtime : service & 3 == 1 ? .scalable : .bulk
    }
}
