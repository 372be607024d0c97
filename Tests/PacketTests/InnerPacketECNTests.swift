import LinkModel
import Packet
import Testing

@Suite struct InnerPacketECNTests {
    /// RFC 1071 over the header: 0xFFFF if its checksum is correct.
    private func sum(_ header: ArraySlice<UInt8>) -> UInt32 {
        var sum: UInt32 = 0
        for i in stride(from: 0, to: header.count, by: 2) {
            sum += UInt32(header[i]) << 8 | UInt32(header[i + 1])
        }
        while sum > 0xFFFF { sum = (sum & 0xFFFF) + sum >> 16 }
        return sum
    }

    private func mark(_ bytes: inout [UInt8]) -> Bool {
        bytes.withUnsafeMutableBytes { InnerPacket.markCongestion(in: $0) }
    }

    @Test func marksWhatUnderstandsItAndKeepsTheChecksumRight() {
        var random = SeededGenerator(seed: 1)
        for round in 0..<20_000 {
            var packet = (0..<28).map { _ in UInt8(truncatingIfNeeded: random.next()) }
            packet[0] = 0x45
            (packet[10], packet[11]) = (0, 0)
            let checksum = ~UInt16(sum(packet[..<20]))
            (packet[10], packet[11]) = (UInt8(checksum >> 8), UInt8(checksum & 0xFF))
            let before = packet
            let marked = mark(&packet)
            #expect(marked == (before[1] & 3 != 0))
            if marked {
                #expect(packet[1] == before[1] | 3 && sum(packet[..<20]) == 0xFFFF, "round \(round)")
                (packet[1], packet[10], packet[11]) = (before[1], before[10], before[11])
            }
            #expect(packet == before)
        }
    }

    @Test func marksIPv6() {
        for field in 0..<4 {
            var packet: [UInt8] = [0x6A, UInt8(field) << 4 | 0x85] + [UInt8](repeating: 7, count: 48)
            let before = packet
            #expect(mark(&packet) == (field != 0))
            #expect(packet[0] == 0x6A && packet[1] == (field == 0 ? 0x85 : 0xB5))
            #expect(packet[2...] == before[2...])
        }
    }

    @Test func leavesAloneWhatIsNoPacket() {
        var short: [UInt8] = [0x45, 3]
        var other = [UInt8](repeating: 0x57, count: 40)
        #expect(!mark(&short) && !mark(&other))
        #expect(other == [UInt8](repeating: 0x57, count: 40))
    }
}
