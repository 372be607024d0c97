import Packet
import Testing

@testable import Proto

/// The vector of Noise_IKpsk2_25519_ChaChaPoly_BLAKE2b from the Haskell library cacophony, which snow also
/// uses for its tests.
@Suite struct NoiseVectorTests {
    private static let vector = Vectors.parse(
        """
        prologue 4a6f686e2047616c74
        psk 54686973206973206d7920417573747269616e20706572737065637469766521
        initiator e61ef9919cde45dd5f82166404bd08e38bceb5dfdfded0a34c8df7ed542214d1
        initiatorEphemeral 893e28b9dc6ca8d611ab664754b8ceb7bac5117349a4439a6b0569da977c464a
        responder 4a3acbfdb163dec651dfa3194dece676d437029c62a408b4c5ea9114246e4893
        responderPublic 31e0303fd6418d2f8c0e78b91f22e8caed0fbe48656dcf4767e4834f701b8f62
        responderEphemeral bbdb4cdbd309f1a1f2e1456967fe288cadd6f712d65dc7b7793d5e63da6b375b
        payload0 4c756477696720766f6e204d69736573
        message0 ca35def5ae56cec33dc2036731ab14896bc4c75dbb07a61f879f8e3afa4c7944
            b6fe0240b839afac809de1630eaf99d8f9b941394f0512c0554633bbb021d15176135c0a20e7fdb9a9ed066f22f054b4
            7625b1d5061cb27d6a17f053273db7c25216a5addc506ee321bc0618feb5849d
        payload1 4d757272617920526f746862617264
        message1 95ebc60d2b1fa672c1f46a8aa265ef51bfe38e7ccb39ec5be34069f144808843
            8f627e69fc120006f746b9d420bf4056cf8481ab32d9e904ffaeeaa56a5290
        payload2 462e20412e20486179656b
        message2 07fc0034398a5f1010322be193d62f94bebf2948a20b3e15d681fe
        payload3 4361726c204d656e676572
        message3 2ea5400f5b8a16971c8b67bde75aeb7987d454b1c0beeb2566932d
        payload4 4a65616e2d426170746973746520536179
        message4 96eef918ef51639fc0e156da1823c4f71b33fac5af983f5da9384f7da20d86ed91
        payload5 457567656e2042f6686d20766f6e2042617765726b
        message5 f02766a56496e1fbf32e05274baebf6d693c8f3e4c6e0dc7ebdc5ac170f15dae433b92f469
        """)[0]

    private func field(_ name: String) throws -> [UInt8] { try #require(Self.vector[name]) }

    @Test func cacophony() throws {
        let presharedKey = PresharedKey(bytes: try field("psk"))
        let server = PrivateKey(bytes: try field("responder"))
        #expect(try server.publicKey.bytes == field("responderPublic"))
        let client = PrivateKey(bytes: try field("initiator"))

        let first = Buffer(try field("message0").count)
        let initiator = try NoiseInitiator(
            staticKey: client, ephemeral: PrivateKey(bytes: try field("initiatorEphemeral")),
            responder: server.publicKey, prologue: try field("prologue"),
            payload: Buffer(try field("payload0")).read, into: first.bytes)
        #expect(try hex(first.first(first.bytes.count)) == hex(field("message0")))

        let opened = Buffer(64)
        let responder = try NoiseResponder(
            reading: first.read, staticKey: server, prologue: try field("prologue"), payload: opened.bytes)
        #expect(try opened.first(16) == field("payload0"))
        #expect(responder.remoteStatic == client.publicKey)

        let second = Buffer(try field("message1").count)
        let responderState = try responder.write(
            ephemeral: PrivateKey(bytes: try field("responderEphemeral")), presharedKey: presharedKey,
            payload: Buffer(try field("payload1")).read, into: second.bytes)
        #expect(try hex(second.first(second.bytes.count)) == hex(field("message1")))

        let initiatorState = try initiator.read(
            second.read, presharedKey: presharedKey, payload: opened.bytes)
        #expect(try opened.first(15) == field("payload1"))
        // The vector's handshake_hash cannot be used: it is the hash after the second message's `e`, while
        // section 11.2 requires the last one. This is that, computed with Python's hashlib.
        #expect(
            hex(initiatorState.handshakeHash)
                == "ed837c9084f2f0333a7ec60b9bcacd9921394858de8ced118b5966d1147ba390"
                + "084dab42326c565a309c29317a6079be30aa1d790d25a517b43287426cb1d36a")
        #expect(responderState.handshakeHash == initiatorState.handshakeHash)

        // The transport messages, turn by turn, with the keys that Split gives; two each way.
        let mine = initiatorState.split()
        let theirs = responderState.split()
        #expect([UInt8](mine.bytes) == [UInt8](theirs.bytes))
        for index in 2...5 {
            let payload = Buffer(try field("payload\(index)"))
            let sealed = Buffer(payload.bytes.count + 16)
            ChaChaPoly.seal(
                payload.read, into: sealed.bytes, additional: Blake2b.empty,
                nonce: Nonce(noise: UInt64(index / 2 - 1)),
                key: UnsafeRawBufferPointer(mine.slice(index % 2 * 64, 32)))
            #expect(try hex(sealed.first(sealed.bytes.count)) == hex(field("message\(index)")))
        }
    }
}
