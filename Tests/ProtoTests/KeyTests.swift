import Packet
import Testing

@testable import Proto

@Suite struct KeyTests {
    @Test func base64() throws {
        // Python's base64.b64encode of 0...31, the private key of which has its first byte clamped to 0.
        let text = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
        let key = try #require(PublicKey(base64: text))
        #expect(key.bytes == (0..<32).map { $0 })
        #expect(key == PublicKey(bytes: (0..<32).map { $0 }))
        #expect(key.base64 == text)
        #expect("\(key)" == text)
        let preshared = try #require(PresharedKey(base64: text))
        #expect(preshared.base64 == text)
        #expect(preshared == PresharedKey(bytes: (0..<32).map { $0 }))
        #expect(preshared != .none)
    }

    @Test func refusesOtherText() {
        for text in [
            "", "=", "AAEC", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8",  // no padding
            "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n", " AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
            "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh9=",  // bits that stand for nothing
            "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIj",
            "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHg==",
            "!AECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
        ] {
            #expect(PublicKey(base64: text) == nil, "\(text)")
            #expect(PresharedKey(base64: text) == nil, "\(text)")
            let isKey = if PrivateKey(base64: text) != nil { true } else { false }
            #expect(!isKey, "\(text)")
        }
    }

    @Test func privateKeyIsClamped() throws {
        let key = PrivateKey(bytes: [UInt8](repeating: 0xFF, count: 32))
        let text = key.base64
        let bytes = try #require(PublicKey(base64: text)).bytes
        #expect(bytes[0] == 0xF8 && bytes[31] == 0x7F && bytes[1..<31].allSatisfy { $0 == 0xFF })
        #expect(PrivateKey(base64: text)?.publicKey == key.publicKey)
    }

    @Test func generated() {
        var entropy = Entropy(seed: [UInt8](repeating: 1, count: 32))
        let first = PrivateKey.generate(&entropy)
        let second = PrivateKey.generate(&entropy)
        #expect(first.publicKey != second.publicKey)
        #expect(PresharedKey.generate(&entropy) != PresharedKey.generate(&entropy))
        #expect(Sodium.systemSeed() != Sodium.systemSeed())
    }

    /// No type that holds a secret prints it, not even by reflection.
    @Test func secretsDoNotPrint() {
        let key = PresharedKey(bytes: [UInt8](repeating: 0x5A, count: 32))
        let entropy = Entropy(seed: [UInt8](repeating: 0x5A, count: 32))
        var dumped = ""
        dump(key, to: &dumped)
        dump(entropy, to: &dumped)
        for text in ["\(key)", String(reflecting: key), "\(entropy)", dumped] {
            #expect(!text.contains("6510615555426900570"), "\(text)")  // 0x5A5A… in decimal
            #expect(!text.contains(key.base64), "\(text)")
        }
    }

    @Test func entropyIsBelow() {
        var entropy = Entropy(seed: [UInt8](repeating: 2, count: 32))
        var counts = [Int](repeating: 0, count: 5)
        for _ in 0..<10_000 { counts[Int(entropy.below(5))] += 1 }
        // 2000 each; 5 standard deviations are 200.
        #expect(counts.allSatisfy { (1800...2200).contains($0) }, "\(counts)")
        #expect(entropy.below(1) == 0)
        _ = entropy.below(.max)
        let half = (0..<1000).filter { _ in entropy.below(1 << 63 + 1) >= 1 << 62 }.count
        #expect((400...600).contains(half))
    }

    /// The state advances whatever was requested, and a copy shows that only the key determines the output.
    @Test func entropyStates() {
        var entropy = Entropy(seed: [UInt8](repeating: 3, count: 32))
        var copy = entropy
        let small = Buffer(8)
        let large = Buffer(1000)
        entropy.fill(small.bytes)
        copy.fill(large.bytes)
        #expect(entropy.next() == copy.next())
        #expect(Set(large.first(1000)).count > 200)
        entropy.fill(small.bytes.slice(0, 0))
        #expect(entropy.next32() == copy.next32())
    }
}
