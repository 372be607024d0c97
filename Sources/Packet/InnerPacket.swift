/// What an inner IP packet says of itself: a checked view, read once when the packet enters.
public struct InnerPacket: Sendable {
    /// Where it comes from.
    public let source: IPAddress
    /// Where it goes.
    public let destination: IPAddress
    /// The class that the scheduler and the reorder buffer treat it by.
    public let trafficClass: TrafficClass
    /// The length the IP header states, in bytes; what follows it in the buffer is padding.
    public let length: Int
    /// The ports, where there are any, and the transport protocol.
    private let transport: UInt64

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
        transport = UInt64(portPair) | UInt64(transportProtocol) << 32
        trafficClass = service >> 2 == 46 ? .realtime : service & 3 == 1 ? .scalable : .bulk
    }

    /// Identifies the flow: by both families' 5-tuples, or the 3-tuple where there are no ports.
    public func flow(_ key: FlowKey) -> UInt32 { key.hash(source, destination, transport) }
}
