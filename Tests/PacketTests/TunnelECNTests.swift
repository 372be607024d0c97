import Packet
import Testing

@Suite struct TunnelECNTests {
    /// RFC 6040 figure 4: the outgoing field for each inner field (rows: Not-ECT, ECT(1), ECT(0), CE by their
    /// bits) and outer field (columns by their bits); nil is a drop.
    private static let table: [[UInt8?]] = [
        [0, 0, 0, nil],
        [1, 1, 1, 3],
        [2, 1, 2, 3],
        [3, 3, 3, 3],
    ]

    private func packet(_ family: IPAddress.Family, _ ecn: UInt8) -> [UInt8] {
        guard family == .v4 else {
            return [0x6A, 0x80 | ecn << 4 | 5] + (0..<58).map { UInt8($0) }
        }
        var packet: [UInt8] =
            [0x45, 0xB8 | ecn, 0, 40, 1, 2, 0x40, 0, 64, 6, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2]
            + (0..<20).map { UInt8($0) }
        packet.withUnsafeMutableBytes { Checksum.finishIPv4($0.slice(0, 20)) }
        return packet
    }

    @Test(arguments: [IPAddress.Family.v4, .v6]) func combinesAllSixteen(family: IPAddress.Family) {
        for inner in 0..<4 {
            for outer in 0..<4 {
                var bytes = packet(family, UInt8(inner))
                let isKept = bytes.withUnsafeMutableBytes { InnerPacket.combineECN(UInt8(outer), in: $0) }
                let wanted = Self.table[inner][outer]
                #expect(isKept == (wanted != nil), "inner \(inner), outer \(outer)")
                guard let wanted else { continue }
                // The checksum is correct, and nothing else has changed.
                #expect(bytes == packet(family, wanted), "inner \(inner), outer \(outer)")
                #expect(bytes.withUnsafeMutableBytes { InnerPacket.ecn(of: $0) } == wanted)
            }
        }
    }

    @Test func whatIsNoPacketIsNeitherReadNorWritten() {
        for length in 0..<20 {
            var bytes = [UInt8](repeating: 0x47, count: length)
            #expect(bytes.withUnsafeMutableBytes { InnerPacket.ecn(of: $0) } == 0)
            #expect(bytes.withUnsafeMutableBytes { InnerPacket.combineECN(1, in: $0) })
            #expect(bytes == [UInt8](repeating: 0x47, count: length))
        }
    }
}
