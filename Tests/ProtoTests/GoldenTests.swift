import Packet
import Testing

@testable import Proto

/// Whole datagrams byte by byte. They were computed independently of this code, with Python's hashlib and
/// libsodium's primitives, and OpenSSL's for AES-256-GCM; a change of any of them changes the wire format.
@Suite struct GoldenTests {
    private var client: PrivateKey { PrivateKey(bytes: (1...32).map { $0 }) }
    private var server: PrivateKey { PrivateKey(bytes: (33...64).map { $0 }) }
    private let presharedKey = PresharedKey(bytes: (65...96).map { $0 })

    private static let initNoise = hex(
        // e
        "ac54309fa8bae006f307f0217c768b7698f6342657dac1eecbeca2cc12ec9b19"
            // sealed s
            + "09cd47399e161f44dc527c3e8f3884073f9b19130011795f3510981e176ddb0c"
            + "1e9b0bc1f56a57f8cc86584ca0ca6290"
            // sealed payload: time stamp, previous session, feature bits, session ID again
            + "8635045f7b38083e21c03bd1bf6d26f821a517e00a4c223bd4cb205a8b207451"
            + "a8cb21ecbec3532c4c7f3cbc21daf3fc")

    private static let initMessage =
        hex("424f 01 01 00000000 0000000000000000 0102 000000000000")  // magic, version, kind, …, path ID, 0
        + hex("11223344")  // initiator's session ID
        + initNoise
        + hex("df0b49b4ede4c6a977852baed5b1fec5")  // MAC1
        + hex("00000000000000000000000000000000")  // MAC2

    private static let responseMessage =
        hex("424f 01 02 11223344 0000000000000000 0102 000000000000")  // the initiator's session ID
        + hex("aabbccdd")  // responder's session ID
        + hex("096f99edd3621778557d1a7c37f1b056365cea85fa681b2072ae6c5786691c71")  // e
        + hex("f085b28616cb95f5a4fca911b6186f9788e12ef32be2b4e1992eea5c93cba02b")  // sealed payload
        + hex("da9c48ff77dd736754b0b5c2b48daed3")  // MAC1
        + hex("00000000000000000000000000000000")  // MAC2

    private static let cookieMessage =
        hex("424f 01 03 11223344 0000000000000000 0102 000000000000")
        + hex("8856f4c1971b9e577fede27cf1c3db2336373c39b785a349")  // nonce
        + hex("81fb90ef1c401fdb58121805d0ed5e93e95f14061db4fb0a2cdb450795a94c50")  // sealed cookie

    /// MAC2 of the same init with that cookie.
    private static let mac2 = hex("dcc7f06b2d12e5d0120b94f4afa6c414")

    private static let dataMessage =
        hex("424f 01 04 aabbccdd 0102030405060708 0102 00a1b2c3d4e5")
        + hex("dde75003592ed7d64c97dd6192eb84ea")  // sealed shim (3, class 1) and "inner packet"
        + hex("a4522ff344e1158eb09de6160073e78d")  // tag

    private static let controlMessage =
        hex("424f 01 05 11223344 0000000000000009 0102 000000000007")
        + hex("434176f36ef9a00106c3e9")  // sealed PING
        + hex("60f808f32ed300278940a1c9158c977c")  // tag

    /// The same two under the same handshake with suite aes-256-gcm, and the refusal of its init.
    private static let aesData =
        hex("424f 01 04 aabbccdd 0102030405060708 0102 00a1b2c3d4e5")
        + hex("53cb9fb292fdd27226af5e6c4ca0cfdf531c565ba48a0445f639a834325b7b24")
    private static let aesControl =
        hex("424f 01 05 11223344 0000000000000009 0102 000000000007")
        + hex("e59ea2a691c3f2e17494917750df4bbe5b58137eaeae6dd3c04ca7")
    private static let aesRefusal =
        hex("424f 01 e3 11223344 0000000000000000 0102 000000000000")
        + hex("e101d3a4bef35e39cf8a8a67e1703622")

    private func makeInitiator(_ suite: CipherSuite = .chacha20poly1305) throws -> Initiator {
        var entropy = Entropy(seed: [UInt8](repeating: 7, count: 32))
        return try Initiator(
            staticKey: client, responder: server.publicKey, presharedKey: presharedKey,
            suite: suite, sessionID: 0x1122_3344,
            payload: InitPayload(
                timestamp: Timestamp(seconds: 0x6500_0000, nanoseconds: 123_456_789),
                previousSession: 0x5566_7788), entropy: &entropy)
    }

    @Test func handshake() throws {
        let initiator = try makeInitiator()
        let buffer = Buffer()
        let (length, mac1) = initiator.writeInit(pathID: 0x0102, cookie: nil, to: buffer.bytes)
        #expect(hex(buffer.first(length)) == hex(Self.initMessage))
        #expect(mac1.withUnsafeBytes { [UInt8]($0) } == Array(Self.initMessage[156..<172]))

        let responder = try Responder(reading: buffer.read.slice(0, length), staticKey: server)
        #expect(responder.initiator == client.publicKey)
        #expect(responder.initiatorSession == 0x1122_3344)
        #expect(responder.payload.timestamp == Timestamp(seconds: 0x6500_0000, nanoseconds: 123_456_789))
        #expect(responder.payload.previousSession == 0x5566_7788)
        var entropy = Entropy(seed: [UInt8](repeating: 8, count: 32))
        let response = try responder.respond(
            sessionID: 0xAABB_CCDD, presharedKey: presharedKey, payload: ResponsePayload(continues: true),
            pathID: 0x0102, entropy: &entropy, to: buffer.bytes)
        #expect(hex(buffer.first(response.length)) == hex(Self.responseMessage))

        let established = try initiator.readResponse(buffer.read.slice(0, response.length))
        #expect(established.sessionID == 0xAABB_CCDD)
        #expect(established.payload == ResponsePayload(continues: true))
        exchange(established.keys, response.keys, data: Self.dataMessage, control: Self.controlMessage)
    }

    @Test(.enabled(if: CipherSuite.aes256gcm.isAvailable)) func aes() throws {
        let initiator = try makeInitiator(.aes256gcm)
        let buffer = Buffer()
        let length = initiator.writeInit(pathID: 0x0102, cookie: nil, to: buffer.bytes).length
        let responder = try Responder(
            reading: buffer.read.slice(0, length), staticKey: server, suite: .aes256gcm)
        let refusal = buffer.first(responder.writeRefusal(.suite, pathID: 0x0102, to: buffer.bytes))
        #expect(hex(refusal) == hex(Self.aesRefusal))
        var entropy = Entropy(seed: [UInt8](repeating: 8, count: 32))
        let response = try responder.respond(
            sessionID: 0xAABB_CCDD, presharedKey: presharedKey, payload: ResponsePayload(continues: true),
            pathID: 0x0102, entropy: &entropy, to: buffer.bytes)
        let established = try initiator.readResponse(buffer.read.slice(0, response.length))
        exchange(established.keys, response.keys, data: Self.aesData, control: Self.aesControl)
    }

    private func exchange(
        _ initiator: consuming TransportKeys, _ responder: consuming TransportKeys, data: [UInt8],
        control: [UInt8]
    ) {
        let buffer = Buffer()
        // Data from the initiator, …
        let plaintext = Buffer(16)
        Shim(distance: 3, trafficClass: 1).write(to: plaintext.bytes)
        plaintext.bytes.dropping(4).copyBytes(from: "inner packet".utf8)
        let header = Header(
            kind: .data, sessionID: 0xAABB_CCDD, sequence: 0x0102_0304_0506_0708, pathID: 0x0102,
            packetNumber: 0x00A1_B2C3_D4E5)
        header.write(to: buffer.bytes)
        let sealed = initiator.sending.seal(
            plaintext.read, into: buffer.bytes.dropping(24), header: buffer.read.slice(0, 24),
            pathID: header.pathID, packetNumber: header.packetNumber)
        #expect(hex(buffer.first(24 + sealed)) == hex(data))
        let isOpened = responder.receiving.open(
            buffer.read.slice(24, sealed), into: buffer.bytes.dropping(24), header: buffer.read.slice(0, 24),
            pathID: header.pathID, packetNumber: header.packetNumber)
        #expect(isOpened)
        #expect(Array(buffer.first(40)[24...]) == plaintext.first(16))

        // … and control from the responder.
        var frames = FrameWriter(plaintext.bytes)
        _ = frames.append(ping: 0x0001_0203_0405_0607)
        Header(kind: .control, sessionID: 0x1122_3344, sequence: 9, pathID: 0x0102, packetNumber: 7)
            .write(to: buffer.bytes)
        let length = responder.sending.seal(
            plaintext.read.slice(0, frames.count), into: buffer.bytes.dropping(24),
            header: buffer.read.slice(0, 24), pathID: 0x0102, packetNumber: 7)
        #expect(hex(buffer.first(24 + length)) == hex(control))
    }

    @Test func cookie() throws {
        var entropy = Entropy(seed: [UInt8](repeating: 9, count: 32))
        let gatekeeper = Gatekeeper(staticPublic: server.publicKey, entropy: &entropy)
        let endpoint = try #require(Endpoint("203.0.113.7:5000"))
        let now = Instant.zero + .seconds(10)
        let initiator = try makeInitiator()
        let datagram = Buffer()
        let (length, mac1) = initiator.writeInit(pathID: 0x0102, cookie: nil, to: datagram.bytes)
        let answer = Buffer()
        let written = gatekeeper.writeCookie(
            answering: datagram.read.slice(0, length), to: endpoint, now: now, entropy: &entropy,
            into: answer.bytes)
        #expect(hex(answer.first(written)) == hex(Self.cookieMessage))

        var jar = CookieJar(responder: server.publicKey)
        let isRead = jar.read(answer.read.slice(0, written), answering: mac1, now: now)
        #expect(isRead)
        _ = initiator.writeInit(pathID: 0x0102, cookie: jar.current(now), to: datagram.bytes)
        #expect(hex(datagram.first(172)) == hex(Array(Self.initMessage[..<172])))
        #expect(hex(Array(datagram.first(length)[172...])) == hex(Self.mac2))
    }

    @Test func entropy() {
        var entropy = Entropy(seed: (0..<32).map { $0 })
        let first = entropy.next()
        #expect(first == 0xAB23_60A2_E7CC_232B)
        let out = Buffer(40)
        entropy.fill(out.bytes)
        #expect(
            hex(out.first(40))
                == "e6f8a80674948f19d65da9dae6ab9fc353d127ed4e6999e947be051cf1fa88546796137004c91503")
        entropy.fill(out.bytes.slice(0, 32))
        #expect(hex(out.first(32)) == "5fd844af20c38ddcd79cb934b6ac59c970ec0eea9efc46491e2da0e663d74bb5")
    }
}
