import Packet
import Testing

@testable import Proto

@Suite struct HeaderTests {
    @Test func golden() {
        let buffer = Buffer(24)
        let header = Header(
            kind: .data, flags: 0xA, sessionID: 0x0102_0304, sequence: 0x1112_1314_1516_1718,
            pathID: 0x2122, packetNumber: 0x3132_3334_3536)
        header.write(to: buffer.bytes)
        // magic, version, flags and kind, session ID, sequence, path ID, packet number
        #expect(hex(buffer.first(24)) == hex(hex("424f 01 a4 01020304 1112131415161718 2122 313233343536")))
        #expect(Header(parsing: buffer.read) == header)
    }

    @Test func roundTrip() {
        let seed: UInt64 = 11
        var random = SplitMix(seed)
        let buffer = Buffer(24)
        for _ in 0..<10_000 {
            let header = Header(
                kind: Kind(rawValue: .random(in: 1...5, using: &random)) ?? .data,
                flags: .random(in: 0...15, using: &random),
                sessionID: .random(in: 0...(.max), using: &random),
                sequence: random.next(), pathID: .random(in: 0...(.max), using: &random),
                packetNumber: random.next() & Wire.maximumPacketNumber)
            header.write(to: buffer.bytes)
            #expect(Header(parsing: buffer.read) == header, "seed \(seed)")
        }
    }

    @Test func refusesWhatIsNoHeader() {
        let good = Buffer(24)
        Header(kind: .control, sessionID: 1, pathID: 2).write(to: good.bytes)
        for length in 0..<24 { #expect(Header(parsing: good.read.slice(0, length)) == nil) }
        for (offset, byte) in [(0, 0x41), (1, 0x4E), (2, 0), (2, 2), (3, 0), (3, 6), (3, 15)] {
            let bad = Buffer(good.first(24))
            bad.bytes[offset] = UInt8(byte)
            #expect(Header(parsing: bad.read) == nil)
            #expect(Header.isUnknownVersion(bad.read) == (offset == 2))
        }
        #expect(!Header.isUnknownVersion(good.read))
        #expect(!Header.isUnknownVersion(good.read.slice(0, 23)))
    }

    /// Values too large for their field are truncated, and do not spill into adjacent fields.
    @Test func cutsWhatDoesNotFit() throws {
        let buffer = Buffer(24)
        Header(kind: .data, flags: 0xFF, sessionID: 0, pathID: 0x0001, packetNumber: .max).write(
            to: buffer.bytes)
        let header = try #require(Header(parsing: buffer.read))
        #expect(header.flags == 15)
        #expect(header.kind == .data)
        #expect(header.pathID == 1)
        #expect(header.packetNumber == Wire.maximumPacketNumber)
    }

    @Test func shim() {
        let buffer = Buffer(4)
        let shim = Shim(distance: 0x0102, trafficClass: 3, flags: 4)
        shim.write(to: buffer.bytes)
        #expect(hex(buffer.first(4)) == "01020304")  // distance, class, flags
        #expect(Shim(parsing: buffer.read) == shim)
    }

    /// The time for which a packet is kept shares a byte with the flags.
    @Test func shimsCarryAWait() {
        var shim = Shim(distance: 1, trafficClass: 0, flags: Shim.partialChecksum | Shim.test)
        #expect(shim.wait == .zero)
        for (wait, kept) in [
            (2499, 0), (2500, 2500), (20_999, 20_000), (157_500, 157_500), (999_999, 157_500), (-1, 0),
        ]
            as [(Int64, Int64)]
        {
            shim.wait = .microseconds(wait)
            #expect(shim.wait == .microseconds(kept), "\(wait) µs")
            #expect(shim.flags & 3 == Shim.partialChecksum | Shim.test)
        }
    }

    @Test func sizes() {
        #expect(Wire.overhead == 44)
        #expect(Wire.minimumSealed == 40)
        #expect(Wire.noiseOffset + Wire.initNoiseSize + 2 * Wire.macSize == Wire.initSize)
        #expect(Wire.noiseOffset + Wire.responseNoiseSize + 2 * Wire.macSize == Wire.responseSize)
        #expect(
            Wire.headerSize + Wire.cookieNonceSize + Wire.macSize + Wire.tagSize == Wire.cookieSize)
        #expect(Wire.responseSize <= Wire.initSize)
        #expect(Wire.cookieSize <= Wire.initSize)
        #expect(Wire.refusalSize == 40)
        #expect(Wire.maximumPacketNumber == 0xFFFF_FFFF_FFFF)
        // The number must not run out before the rekey that it triggers is done.
        for suite in CipherSuite.allCases {
            #expect(suite.rekeyAfterPackets < Wire.maximumPacketNumber / 2)
        }
        // Sixteen paths of datagrams of 2⁷ blocks: below the 2^34.5 blocks of RFC 8446, section 5.5.
        let blocks = UInt64(Wire.maximumDatagram / 16)
        #expect(CipherSuite.aes256gcm.rekeyAfterPackets * 16 * blocks <= 1 << 34)
    }
}
