/// The header fields of an inner IP packet: a checked view, parsed once when the packet enters.
public struct InnerPacket: Sendable {
    /// The source address.
    public let source: IPAddress
    /// The destination address.
    public let destination: IPAddress
    /// The class by which the scheduler and the reorder buffer treat it.
    public let trafficClass: TrafficClass
    /// Its DSCP (RFC 2474).
    public let codepoint: UInt8
    /// The length in the IP header, in bytes; any bytes after it in the buffer are padding.
    public let length: Int
    /// The ports, if any, and the transport protocol.
    private let transport: UInt64

    /// Parses the headers; nil if `bytes` is not a complete IPv4 or IPv6 packet.
    public init?(parsing bytes: UnsafeRawBufferPointer) {
        guard bytes.count >= 20 else { return nil }
        let transportProtocol: UInt8
        let ports: Int
        // The DSCP and ECN bits.
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
            // Only the first fragment has ports, so all fragments are identified by the 3-tuple.
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
        codepoint = service >> 2
        trafficClass = service >> 2 == 46 ? .realtime : service & 3 == 1 ? .scalable : .bulk
    }

    /// The number of the transport protocol, such as 17 for UDP.
    public var transportProtocol: UInt8 { UInt8(truncatingIfNeeded: transport >> 32) }

    /// The ports; nil if there are none, or if they are 0.
    public var ports: (source: UInt16, destination: UInt16)? {
        let pair = UInt32(truncatingIfNeeded: transport)
        guard pair != 0 else { return nil }
        return (UInt16(truncatingIfNeeded: pair >> 16), UInt16(truncatingIfNeeded: pair))
    }

    /// A hash that identifies the flow: of the 5-tuple, or of the 3-tuple if there are no ports.
    public func flow(_ key: FlowKey) -> UInt32 { key.hash(source, destination, transport) }
}
