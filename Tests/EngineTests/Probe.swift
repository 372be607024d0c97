import Packet

/// An inner UDP packet that carries its flow and its number in it.
struct Probe: Equatable {
    var source: IPAddress
    var destination: IPAddress
    /// Source port, so that flows differ.
    var flow: UInt16
    var number: UInt64
    var payload = 1200
    /// DSCP 46 when true.
    var expedited = false
    /// Whether DF is not set.
    var mayBeCut = false
    /// The two ECN bits.
    var ecn: UInt8 = 0

    /// Writes the IP packet; returns its length.
    func write(to room: UnsafeMutableRawBufferPointer) -> Int {
        let body = 8 + max(payload, 8)
        room.initializeMemory(as: UInt8.self, repeating: 0)
        let header: Int
        if source.family == .v4 {
            header = 20
            room[0] = 0x45
            room[1] = (expedited ? 46 << 2 : 0) | ecn
            room.storeBigEndian(UInt16(header + body), at: 2)
            room[6] = mayBeCut ? 0 : 0x40
            room[8] = 64
            room[9] = 17
            source.write(to: room.dropping(12))
            destination.write(to: room.dropping(16))
        } else {
            header = 40
            room.storeBigEndian(UInt32(6) << 28 | (expedited ? 46 << 22 : 0) | UInt32(ecn) << 20, at: 0)
            room.storeBigEndian(UInt16(body), at: 4)
            room[6] = 17
            room[7] = 64
            source.write(to: room.dropping(8))
            destination.write(to: room.dropping(24))
        }
        room.storeBigEndian(flow, at: header)
        room.storeBigEndian(UInt16(9), at: header + 2)
        room.storeBigEndian(UInt16(body), at: header + 4)
        room.storeBigEndian(number, at: header + 8)
        return header + body
    }

    init(
        _ source: IPAddress, _ destination: IPAddress, flow: UInt16 = 1, number: UInt64, payload: Int = 1200,
        expedited: Bool = false
    ) {
        self.source = source
        self.destination = destination
        self.flow = flow
        self.number = number
        self.payload = payload
        self.expedited = expedited
    }

    init?(parsing bytes: UnsafeRawBufferPointer) {
        guard let packet = InnerPacket(parsing: bytes) else { return nil }
        let header = packet.source.family == .v4 ? 20 : 40
        guard bytes.count >= header + 16 else { return nil }
        self.init(
            packet.source, packet.destination, flow: bytes.bigEndian(at: header, as: UInt16.self),
            number: bytes.bigEndian(at: header + 8, as: UInt64.self), payload: bytes.count - header - 8)
    }
}
