import Packet
import Testing

@testable import Proto

@Suite struct RootSecretsTests {
    private func root(_ generation: UInt32, _ byte: UInt8 = 0) -> RootSecret {
        let bytes = [UInt8](repeating: byte &+ UInt8(truncatingIfNeeded: generation), count: 32)
        return RootSecret(generation: generation, base64: PresharedKey(bytes: bytes).base64)!
    }

    /// As computed by Python's hashlib.blake2b(b"bondd client psk" + key, key=root, digest_size=32).
    @Test func aClientsKeyFollowsFromRootAndPublicKey() throws {
        let root = try #require(
            RootSecret(generation: 1, base64: "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="))
        let client = PublicKey(bytes: Array(repeating: 9, count: 32))
        #expect(root.presharedKey(of: client).base64 == "r5jaAZzbh4bdRBxnsKOPVDBAgHPlwa8yxaf3uYQzE/A=")
        #expect(
            root.presharedKey(of: client)
                != root.presharedKey(of: PublicKey(bytes: Array(repeating: 8, count: 32))))
    }

    @Test func aRootIsThirtyTwoBytesAndHasANumber() {
        let base64 = PresharedKey(bytes: Array(repeating: 1, count: 32)).base64
        #expect(RootSecret(generation: 0, base64: base64) == nil)
        #expect(RootSecret(generation: 1, base64: "AAAA") == nil)
        #expect(!"\(root(3))".contains(PresharedKey(bytes: Array(repeating: 3, count: 32)).base64))
    }

    @Test func theNewestTwoGenerationsAreGood() {
        let roots = RootSecrets([root(5), root(9), root(7)])
        #expect(roots.current == root(9))
        #expect(roots[9] == root(9) && roots[7] == root(7) && roots[5] == nil && roots[0] == nil)
        #expect(RootSecrets.none.current == nil && RootSecrets.none[1] == nil)
    }

    @Test func aClientKeepsTwo() {
        func secret(_ generation: UInt32) -> ClientSecret {
            ClientSecret(root(generation), client: PublicKey(bytes: Array(repeating: 1, count: 32)))
        }
        let secrets = ClientSecrets.none.adding(secret(1)).adding(secret(2)).adding(secret(3)).adding(
            secret(3))
        #expect(secrets.newestFirst == [secret(3), secret(2)])
        #expect(secrets.adding(secret(2)).newest == secret(2))
    }

    /// Both ends compute the same proof, which requires one of the two private keys.
    @Test func aProofIsForOneKeyServerAndInvitation() throws {
        func key(_ byte: UInt8) -> PrivateKey { PrivateKey(bytes: Array(repeating: byte, count: 32)) }
        let (client, server, invitation, other) = (
            key(1).publicKey, key(2).publicKey, key(3).publicKey, key(4).publicKey
        )
        let proof = try EnrolProof(own: key(1), other: server, invitation: invitation)
        let expected = try EnrolProof(own: key(2), other: client, invitation: invitation)
        #expect(proof == expected)
        let forged = try [
            EnrolProof(own: key(4), other: server, invitation: invitation),
            EnrolProof(own: key(1), other: other, invitation: invitation),
            EnrolProof(own: key(1), other: server, invitation: other),
        ]
        #expect(!forged.contains(expected))
    }

    @Test func framesComeBack() throws {
        let secret = ClientSecret(root(77), client: PublicKey(bytes: Array(repeating: 1, count: 32)))
        let proof = try EnrolProof(
            own: PrivateKey(bytes: Array(repeating: 1, count: 32)),
            other: PrivateKey(bytes: Array(repeating: 2, count: 32)).publicKey,
            invitation: PublicKey(bytes: Array(repeating: 3, count: 32)))
        let frames: [Frame] = [.enrolProof(proof), .secret(SecretFrame(secret)), .secretKept(0x0102_0304)]
        var bytes = [UInt8](repeating: 0, count: 256)
        let count = bytes.withUnsafeMutableBytes { bytes in
            var writer = FrameWriter(bytes)
            for frame in frames {
                let fits = writer.append(frame)
                #expect(fits)
            }
            return writer.count
        }
        #expect(count == 3 * 3 + 32 + 36 + 4)
        #expect(Array(bytes[0..<3]) == [18, 0, 32] && Array(bytes[35..<42]) == [14, 0, 36, 0, 0, 0, 77])
        #expect(Array(bytes[74..<81]) == [15, 0, 4, 1, 2, 3, 4])
        for length in 0...count {
            var reader: [Frame] = []
            bytes.withUnsafeBytes {
                var frames = FrameReader(UnsafeRawBufferPointer(rebasing: $0[..<length]))
                while let frame = frames.next() { reader.append(frame) }
            }
            #expect(
                reader == Array(frames.prefix(length >= count ? 3 : length >= 74 ? 2 : length >= 35 ? 1 : 0)))
        }
    }

    /// The generation is in a place where earlier versions have zeros that they ignore.
    @Test func anInitNamesItsGeneration() {
        let payload = InitPayload(
            timestamp: Timestamp(seconds: 1, nanoseconds: 2), previousSession: 3,
            secretGeneration: 0x0A0B_0C0D)
        var bytes = [UInt8](repeating: 0xFF, count: Wire.initPayloadSize)
        bytes.withUnsafeMutableBytes { payload.write(to: $0, sender: 4) }
        #expect(Array(bytes[24..<32]) == [0x0A, 0x0B, 0x0C, 0x0D, 0, 0, 0, 0])
        #expect(bytes.withUnsafeBytes { InitPayload(parsing: $0) } == payload)
    }
}
