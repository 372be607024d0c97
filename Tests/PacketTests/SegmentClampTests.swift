import LinkModel
import Packet
import TestSupport
import Testing

@Suite struct SegmentClampTests {
    /// A TCP packet with these options, padded to whole words, and some payload; its checksum is correct.
    private func packet(
        _ family: IPAddress.Family, flags: UInt8 = 0x02, options: [UInt8], payload: Int = 0
    ) -> [UInt8] {
        let options = options + [UInt8](repeating: 0, count: (4 - options.count % 4) % 4)
        let length = 20 + options.count + payload
        var tcp: [UInt8] = [0x12, 0x34, 0, 80, 1, 2, 3, 4, 0, 0, 0, 0]
        tcp += [UInt8((20 + options.count) / 4) << 4, flags, 0xFA, 0xF0, 0, 0, 0, 0] + options
        tcp += (0..<payload).map { UInt8(truncatingIfNeeded: $0) }
        var bytes: [UInt8]
        if family == .v4 {
            bytes = [0x45, 0, UInt8((20 + length) >> 8), UInt8((20 + length) & 255), 0, 1, 0x40, 0, 64, 6]
            bytes += [0, 0, 10, 77, 0, 2, 10, 77, 0, 1]
        } else {
            bytes = [0x60, 0, 0, 0, UInt8(length >> 8), UInt8(length & 255), 6, 64]
            bytes += (0..<32).map { UInt8($0 &* 7) }
        }
        let start = bytes.count
        bytes += tcp
        let sum = checksum(bytes, start)
        (bytes[start + 16], bytes[start + 17]) = (UInt8(~sum >> 8), UInt8(~sum & 255))
        return bytes
    }

    /// The folded sum of pseudo header, TCP header and payload; 0xFFFF if the checksum is correct.
    private func checksum(_ bytes: [UInt8], _ start: Int) -> UInt16 {
        bytes.withUnsafeBytes { raw in
            let pseudo = Checksum.pseudoHeader(of: raw, protocol: 6, length: bytes.count - start)
            return Checksum.sum(raw.dropping(start), UInt32(pseudo) << 16)
        }
    }

    private func clamp(_ bytes: inout [UInt8], _ mtu: Int, partial: Bool = false) {
        bytes.withUnsafeMutableBytes {
            InnerPacket.clampSegments(in: $0, to: mtu, hasPartialChecksum: partial)
        }
    }

    private static let mss: [UInt8] = [2, 4, 5, 0xB4]

    @Test(arguments: [IPAddress.Family.v4, .v6]) func lowersWhatIsTooLarge(family: IPAddress.Family) throws {
        let start = family == .v4 ? 20 : 40
        // At an even and at an odd offset, alone and among others.
        for before in [[], [1], [1, 1], [3, 3, 7], [4, 2, 1], [8, 10, 1, 2, 3, 4, 5, 6, 7, 8, 1]] as [[UInt8]]
        {
            for flags: UInt8 in [0x02, 0x12, 0xC2] {
                let original = packet(family, flags: flags, options: before + Self.mss, payload: 7)
                try #require(checksum(original, start) == 0xFFFF)
                var bytes = original
                clamp(&bytes, 1300)
                let size = 1300 - start - 20
                let place = start + 20 + before.count + 2
                #expect(Int(bytes[place]) << 8 | Int(bytes[place + 1]) == size, "after \(before)")
                #expect(checksum(bytes, start) == 0xFFFF, "after \(before)")
                var restored = bytes
                for i in [place, place + 1, start + 16, start + 17] { restored[i] = original[i] }
                #expect(restored == original)
                // Clamping twice changes nothing, and small values stay.
                var again = bytes
                clamp(&again, 1300)
                clamp(&again, 1500)
                #expect(again == bytes)
            }
        }
    }

    @Test func aPartialChecksumDoesNotCoverIt() {
        let original = packet(.v4, options: Self.mss)
        var bytes = original
        clamp(&bytes, 1300, partial: true)
        #expect(bytes[36] == original[36] && bytes[37] == original[37])
        #expect(Int(bytes[42]) << 8 | Int(bytes[43]) == 1260)
    }

    @Test func leavesAllElseAlone() {
        var fragment = packet(.v4, options: Self.mss)
        fragment[7] = 4
        var udp = packet(.v4, options: Self.mss)
        udp[9] = 17
        for original in [
            packet(.v4, flags: 0x10, options: Self.mss), packet(.v4, options: [1, 1, 1, 1]),
            packet(.v4, options: [0] + Self.mss), packet(.v4, options: [2, 3, 5, 0xB4]),
            packet(.v4, options: [3, 0, 2, 4, 5, 0xB4]), packet(.v4, options: [8, 40, 2, 4]), fragment, udp,
        ] {
            var bytes = original
            clamp(&bytes, 600)
            #expect(bytes == original)
        }
        // Not below the minimum that every host accepts.
        var bytes = packet(.v4, options: Self.mss)
        clamp(&bytes, 0)
        #expect(Int(bytes[42]) << 8 | Int(bytes[43]) == 64)
    }

    @Test func nothingTrapsWhateverTheBytesAre() {
        var random = SeededGenerator(seed: 3)
        for _ in 0..<100_000 {
            var bytes = packet(random.chance(0.5) ? .v4 : .v6, options: Self.mss + [1, 3, 3, 7])
            for _ in 0..<random.below(6) {
                bytes[random.below(bytes.count)] = UInt8(truncatingIfNeeded: random.next())
            }
            bytes.removeLast(random.below(bytes.count + 1))
            clamp(&bytes, 1200, partial: random.chance(0.5))
        }
    }
}
