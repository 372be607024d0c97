import Packet
import Testing

@testable import Proto

/// Every library's ciphers against published vectors.
@Suite struct BulkKeyTests {
    private static let texts: [(CipherSuite, String)] = [
        (.chacha20poly1305, ChaChaPolyVectors.padding), (.chacha20poly1305, ChaChaPolyVectors.poly1305Edges),
        (.aes256gcm, AESGCMVectors.nist), (.aes256gcm, AESGCMVectors.wycheproof),
    ]
    private static let cases = texts.flatMap { suite, text in
        AEADProvider.allCases.filter { $0.has(suite) }.map { (suite, $0, text) }
    }

    @Test(arguments: cases)
    func published(_ suite: CipherSuite, _ provider: AEADProvider, _ text: String) throws {
        let vectors = Vectors.parse(text)
        #expect(vectors.count >= 4)
        for vector in vectors {
            let secret = Buffer(try #require(vector["key"])).read
            let key = BulkKey(secret, suite: suite, provider: provider)!
            let iv = Buffer(try #require(vector["nonce"])).read
            let nonce = Nonce(
                iv: (iv.bigEndian(at: 0, as: UInt64.self), iv.bigEndian(at: 8, as: UInt32.self)), pathID: 0,
                packetNumber: 0)
            let plaintext = try #require(vector["in"])
            let additional = Buffer(try #require(vector["ad"])).read
            let expected = try #require(vector["ct"]) + #require(vector["tag"])

            let sealed = Buffer(expected.count)
            key.seal(Buffer(plaintext).read, into: sealed.bytes, additional: additional, nonce: nonce)
            #expect(hex(sealed.first(expected.count)) == hex(expected))
            let opened = Buffer(plaintext.count)
            let isOpened = key.open(sealed.read, into: opened.bytes, additional: additional, nonce: nonce)
            #expect(isOpened)
            #expect(opened.first(plaintext.count) == plaintext)

            // Like Wycheproof's modified tags: every bit counts, and nothing unverified is left.
            for bit in 0..<8 * expected.count {
                let forged = Buffer(expected)
                forged.bytes[bit / 8] ^= 1 << (bit % 8)
                let isOpened = key.open(
                    forged.read, into: opened.bytes, additional: additional, nonce: nonce)
                #expect(!isOpened, "bit \(bit)")
                #expect(opened.first(plaintext.count).allSatisfy { $0 == 0 }, "bit \(bit)")
            }
            for tag in [[UInt8](repeating: 0, count: 16), [UInt8](repeating: 255, count: 16)] {
                let forged = Buffer(Array(expected.dropLast(16)) + tag)
                let isOpened = key.open(
                    forged.read, into: opened.bytes, additional: additional, nonce: nonce)
                #expect(!isOpened)
            }
        }
    }

    /// One context seals and opens alternately, and keeps nothing from before, not even from a forgery.
    @Test(arguments: DirectionKeyTests.kinds)
    func turnsDoNotMix(_ suite: CipherSuite, _ provider: AEADProvider) {
        let seed: UInt64 = 11
        var random = SplitMix(seed)
        let material = Buffer(random.bytes(44)).read
        let busy = DirectionKey(material: material, suite: suite, provider: provider)!
        let header = Buffer(random.bytes(24)).read
        for number in 0..<200 as Range<UInt64> {
            let plaintext = random.bytes(Int(random.next() % 300))
            let fresh = DirectionKey(material: material, suite: suite, provider: provider)!
            let (one, two) = (Buffer(plaintext.count + 16), Buffer(plaintext.count + 16))
            _ = busy.seal(
                Buffer(plaintext).read, into: one.bytes, header: header, pathID: 1, packetNumber: number)
            _ = fresh.seal(
                Buffer(plaintext).read, into: two.bytes, header: header, pathID: 1, packetNumber: number)
            #expect(
                one.first(plaintext.count + 16) == two.first(plaintext.count + 16), "\(number), seed \(seed)")
            let opened = Buffer(plaintext.count)
            let isForgeryOpened = busy.open(
                one.read, into: opened.bytes, header: header, pathID: 2, packetNumber: number)
            #expect(!isForgeryOpened, "\(number), seed \(seed)")
            let isOpened = busy.open(
                one.read, into: opened.bytes, header: header, pathID: 1, packetNumber: number)
            #expect(isOpened && opened.first(plaintext.count) == plaintext, "\(number), seed \(seed)")
        }
    }
}
