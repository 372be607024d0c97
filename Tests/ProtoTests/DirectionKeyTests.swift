import Packet
import Testing

@testable import Proto

@Suite struct DirectionKeyTests {
    /// Every library with every suite that it supports here.
    static let kinds = CipherSuite.allCases.flatMap { suite in
        AEADProvider.allCases.filter { $0.has(suite) }.map { (suite, $0) }
    }

    private func makeKey(
        _ suite: CipherSuite = .chacha20poly1305, _ provider: AEADProvider = .sodium
    ) -> DirectionKey {
        DirectionKey(material: Buffer((0..<44).map { $0 &* 7 }).read, suite: suite, provider: provider)!
    }

    /// IV XOR (path ID ‖ 0⁴ ‖ packet number), byte by byte.
    @Test func nonceLayout() {
        let key = makeKey()
        let iv = (32..<44).map { UInt8($0) &* 7 }
        let nonce = key.nonce(pathID: 0x0102, packetNumber: 0xA1A2_A3A4_A5A6)
        let expected = zip(iv, hex("0102 00000000 a1a2a3a4a5a6")).map { $0 ^ $1 }
        #expect(MemoryLayout<Nonce>.size == 12)
        #expect(withUnsafeBytes(of: nonce) { [UInt8]($0) } == expected)
    }

    /// No two pairs of path and number share a nonce: neighbors, carries, and the same bits in the other field.
    @Test func noncesAreUnique() {
        let key = makeKey()
        var seen: Set<[UInt8]> = []
        var count = 0
        let numbers: [UInt64] =
            Array(0..<300) + [1 << 16, 1 << 32, 1 << 32 + 1, 1 << 47, Wire.maximumPacketNumber]
        for path in [0, 1, 2, 255, 256, 0x0101, .max] as [UInt16] {
            for number in numbers {
                let nonce = key.nonce(pathID: path, packetNumber: number)
                withUnsafeBytes(of: nonce) { _ = seen.insert([UInt8]($0)) }
                count += 1
            }
        }
        #expect(seen.count == count)
    }

    @Test(arguments: kinds) func inPlace(_ suite: CipherSuite, _ provider: AEADProvider) {
        let key = makeKey(suite, provider)
        let seed: UInt64 = 3
        var random = SplitMix(seed)
        let header = Buffer(random.bytes(24))
        for length in [0, 1, 15, 16, 17, 63, 64, 65, 1400] {
            let plaintext = random.bytes(length)
            let apart = Buffer(length + 16)
            let written = key.seal(
                Buffer(plaintext).read, into: apart.bytes, header: header.read, pathID: 1, packetNumber: 2)
            #expect(written == length + 16)
            let place = Buffer(length + 16)
            place.bytes.copyBytes(from: plaintext)
            _ = key.seal(
                place.read.slice(0, length), into: place.bytes, header: header.read, pathID: 1,
                packetNumber: 2)
            #expect(place.first(length + 16) == apart.first(length + 16))
            let isOpened = key.open(
                place.read, into: place.bytes, header: header.read, pathID: 1, packetNumber: 2)
            #expect(isOpened)
            #expect(place.first(length) == plaintext)
        }
    }

    /// Every byte of header and payload, the path and the number count; and no length makes it trap.
    @Test(arguments: kinds) func refusesForgeries(_ suite: CipherSuite, _ provider: AEADProvider) {
        let key = makeKey(suite, provider)
        let header = Buffer((0..<24).map { $0 })
        let sealed = Buffer(40)
        _ = key.seal(
            Buffer((0..<24).map { $0 }).read, into: sealed.bytes, header: header.read, pathID: 1,
            packetNumber: 2)
        let out = Buffer(40)
        func opens(_ payload: Buffer, _ header: Buffer, _ pathID: UInt16, _ number: UInt64) -> Bool {
            key.open(payload.read, into: out.bytes, header: header.read, pathID: pathID, packetNumber: number)
        }
        #expect(opens(sealed, header, 1, 2))
        #expect(!opens(sealed, header, 0, 2))
        #expect(!opens(sealed, header, 1, 3))
        for bit in 0..<40 * 8 {
            let forged = Buffer(sealed.first(40))
            forged.bytes[bit / 8] ^= 1 << (bit % 8)
            #expect(!opens(forged, header, 1, 2))
        }
        for bit in 0..<24 * 8 {
            let forged = Buffer(header.first(24))
            forged.bytes[bit / 8] ^= 1 << (bit % 8)
            #expect(!opens(sealed, forged, 1, 2))
        }
        for length in 0..<40 { #expect(!opens(Buffer(sealed.first(length)), header, 1, 2)) }
    }
}
