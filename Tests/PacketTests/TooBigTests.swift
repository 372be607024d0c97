import LinkModel
import Packet
import TestSupport
import Testing

@Suite struct TooBigTests {
    private func packet(_ family: IPAddress.Family, length: Int, transport: UInt8 = 17) -> [UInt8] {
        var bytes = (0..<length).map { UInt8(truncatingIfNeeded: $0) }
        if family == .v4 {
            bytes.replaceSubrange(
                0..<20,
                with: [
                    0x45, 0, UInt8(length >> 8), UInt8(length & 255), 0, 1, 0x40, 0, 64, transport, 0, 0, 10,
                    77,
                    0, 2, 192, 0, 2, 1,
                ])
        } else {
            let payload = length - 40
            bytes.replaceSubrange(
                0..<8, with: [0x60, 0, 0, 0, UInt8(payload >> 8), UInt8(payload & 255), transport, 64])
            bytes[8] = 0xFD
            bytes[24] = 0x20
        }
        return bytes
    }

    private func answer(_ bytes: [UInt8], mtu: Int = 1228, room: Int = 2000) -> [UInt8]? {
        var out = [UInt8](repeating: 0xEE, count: room)
        let length = out.withUnsafeMutableBytes { out in
            bytes.withUnsafeBytes { InnerPacket.writeTooBig(about: $0, mtu: mtu, to: out) }
        }
        return length.map { [UInt8](out[..<$0]) }
    }

    @Test func tellsAnIPv4Sender() throws {
        let about = packet(.v4, length: 1400)
        let error = try #require(answer(about))
        try error.withUnsafeBytes { raw in
            let parsed = try #require(InnerPacket(parsing: raw))
            #expect(parsed.length == 576 && error.count == 576)
            #expect(parsed.source == IPAddress("192.0.2.1") && parsed.destination == IPAddress("10.77.0.2"))
            #expect(error[9] == 1 && error[20] == 3 && error[21] == 4)
            #expect(raw.bigEndian(at: 26, as: UInt16.self) == 1228)
            #expect(Checksum.sum(raw.slice(0, 20)) == 0xFFFF && Checksum.sum(raw.dropping(20)) == 0xFFFF)
            #expect([UInt8](raw.dropping(28)) == [UInt8](about[..<548]))
        }
    }

    @Test func tellsAnIPv6Sender() throws {
        let about = packet(.v6, length: 1400)
        let error = try #require(answer(about))
        try error.withUnsafeBytes { raw in
            let parsed = try #require(InnerPacket(parsing: raw))
            let original = try #require(about.withUnsafeBytes { InnerPacket(parsing: $0) })
            #expect(parsed.length == 1280 && error.count == 1280)
            #expect(parsed.source == original.destination && parsed.destination == original.source)
            #expect(error[6] == 58 && error[40] == 2 && error[41] == 0)
            #expect(raw.bigEndian(at: 44, as: UInt32.self) == 1228)
            let pseudo = Checksum.pseudoHeader(of: raw, protocol: 58, length: 1240)
            #expect(Checksum.sum(raw.dropping(40), UInt32(pseudo) << 16) == 0xFFFF)
            #expect([UInt8](raw.dropping(48)) == [UInt8](about[..<1232]))
        }
    }

    @Test func saysNothingToErrorsFragmentsAndMany() {
        var fragment = packet(.v4, length: 1400)
        fragment[7] = 1
        var multicast = packet(.v4, length: 1400)
        multicast[16] = 224
        var nobody = packet(.v4, length: 1400)
        nobody[12] = 0
        var unreachable = packet(.v4, length: 1400, transport: 1)
        unreachable[20] = 3
        var multicast6 = packet(.v6, length: 1400)
        multicast6[24] = 0xFF
        var error6 = packet(.v6, length: 1400, transport: 58)
        error6[40] = 1
        for packet in [fragment, multicast, nobody, unreachable, multicast6, error6] {
            #expect(answer(packet) == nil)
        }
        var echo = packet(.v4, length: 1400, transport: 1)
        echo[20] = 8
        var echo6 = packet(.v6, length: 1400, transport: 58)
        echo6[40] = 128
        #expect(answer(echo) != nil && answer(echo6) != nil)
        #expect(answer(echo, room: 100) == nil && answer([]) == nil)
    }

    @Test func nothingTrapsWhateverTheBytesAre() {
        var random = SeededGenerator(seed: 4)
        for _ in 0..<20_000 {
            var bytes = packet(random.chance(0.5) ? .v4 : .v6, length: 60 + random.below(40))
            for _ in 0..<random.below(6) {
                bytes[random.below(bytes.count)] = UInt8(truncatingIfNeeded: random.next())
            }
            bytes.removeLast(random.below(bytes.count + 1))
            if let error = answer(bytes, mtu: random.below(3000)) { #expect(error.count <= 1280) }
        }
    }
}
