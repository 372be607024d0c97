import Packet
import Testing

@testable import Proto

/// The primitives as used here, against published vectors.
@Suite struct PrimitiveVectorTests {
    private func nonce(_ bytes: [UInt8]) -> Nonce {
        let bytes = Buffer(bytes)
        return Nonce(
            iv: (bytes.read.bigEndian(at: 0, as: UInt64.self), bytes.read.bigEndian(at: 8, as: UInt32.self)),
            pathID: 0, packetNumber: 0)
    }

    @Test(arguments: [ChaChaPolyVectors.padding, ChaChaPolyVectors.poly1305Edges])
    func chaChaPoly(_ text: String) throws {
        let vectors = Vectors.parse(text)
        #expect(vectors.count >= 7)
        for vector in vectors {
            let key = SecretBytes(count: 32)
            key.bytes.copyBytes(from: try #require(vector["key"]))
            let nonce = nonce(try #require(vector["nonce"]))
            let plaintext = Buffer(try #require(vector["in"]))
            let additional = Buffer(try #require(vector["ad"]))
            let expected = try #require(vector["ct"]) + #require(vector["tag"])
            let sealed = Buffer(expected.count)
            ChaChaPoly.seal(
                plaintext.read, into: sealed.bytes, additional: additional.read, nonce: nonce,
                key: UnsafeRawBufferPointer(key.bytes))
            #expect(sealed.first(expected.count) == expected)

            let opened = Buffer(plaintext.bytes.count)
            #expect(
                ChaChaPoly.open(
                    sealed.read, into: opened.bytes, additional: additional.read, nonce: nonce,
                    key: UnsafeRawBufferPointer(key.bytes)))
            #expect(opened.first(opened.bytes.count) == plaintext.first(plaintext.bytes.count))
            // Like Wycheproof's modified tags: every bit of it counts.
            for bit in 0..<128 {
                let forged = Buffer(expected)
                forged.bytes[expected.count - 16 + bit / 8] ^= 1 << (bit % 8)
                #expect(
                    !ChaChaPoly.open(
                        forged.read, into: opened.bytes, additional: additional.read, nonce: nonce,
                        key: UnsafeRawBufferPointer(key.bytes)), "bit \(bit)")
            }
        }
    }

    @Test(arguments: [X25519Vectors.agreements, X25519Vectors.nonCanonical])
    func x25519(_ text: String) throws {
        let vectors = Vectors.parse(text)
        #expect(vectors.count >= 11)
        for vector in vectors {
            let key = PrivateKey(bytes: try #require(vector["private"]))
            let shared = Buffer(32)
            try key.agree(with: PublicKey(bytes: try #require(vector["public"])), into: shared.bytes)
            #expect(shared.first(32) == vector["shared"])
        }
    }

    @Test func smallOrderIsRefused() throws {
        let key = PrivateKey(bytes: hex(X25519Vectors.smallOrderPrivate))
        let shared = Buffer(32)
        for text in X25519Vectors.smallOrderPublics {
            #expect(throws: ProtoError.weakKey) {
                try key.agree(with: PublicKey(bytes: hex(text)), into: shared.bytes)
            }
        }
        for vector in Vectors.parse(X25519Vectors.smallOrder) {
            let key = PrivateKey(bytes: try #require(vector["private"]))
            let peer = PublicKey(bytes: try #require(vector["public"]))
            #expect(throws: ProtoError.weakKey) { try key.agree(with: peer, into: shared.bytes) }
        }
    }

    /// The responder's static key pair of the Noise vectors.
    @Test func publicKey() {
        let key = PrivateKey(bytes: hex("4a3acbfdb163dec651dfa3194dece676d437029c62a408b4c5ea9114246e4893"))
        #expect(
            hex(key.publicKey.bytes) == "31e0303fd6418d2f8c0e78b91f22e8caed0fbe48656dcf4767e4834f701b8f62")
        #expect(key.copy().publicKey == key.publicKey)
    }

    /// RFC 7693 appendix A.
    @Test func blake2b() {
        let out = Buffer(64)
        Blake2b.hash(into: out.bytes, Buffer(Array("abc".utf8)).read)
        #expect(
            hex(out.first(64))
                == "ba80a53f981c4d0d6a2797b69f12f6e94c212f14685ac4b74b12bb6fdbffa2d1"
                + "7d87c5392aab792dc252d5de4533cc9518d38aa8dbf1925ab92386edd4009923")
        Blake2b.hash(
            into: out.bytes, Buffer(Array("a".utf8)).read, Blake2b.empty, Buffer(Array("bc".utf8)).read)
        #expect(hex(out.first(4)) == "ba80a53f")
    }

    /// Computed with Python's hmac and hashlib.
    @Test func hmacAndHKDF() {
        let out = Buffer(192)
        Blake2b.hmac(
            into: out.bytes.slice(0, 64), key: Buffer(Array("key".utf8)).read,
            Buffer(Array("The quick ".utf8)).read, Buffer(Array("brown fox".utf8)).read)
        #expect(
            hex(out.first(64))
                == "5c169e8a18362381efbc0f688fa1d48e99f2bd5885a19c29943e28b43d566f33"
                + "0555d6c37a277cd4cbb1deca561f377c02f0d5388c6e1efd6e97de2bd8b2d678")
        Blake2b.hkdf(
            chainingKey: Buffer((0..<64).map { $0 }).read, input: Buffer(Array("input".utf8)).read,
            outputs: out.bytes)
        let outputs = out.first(192)
        #expect(hex(Array(outputs[0..<16])) == "854ff4e7e6074bfe92f1a96cf7062606")
        #expect(hex(Array(outputs[64..<80])) == "ce5595eb115a20218998812f1f84dad8")
        #expect(hex(Array(outputs[128..<144])) == "beb822d32dd50dffe84d52733d996025")
    }
}
