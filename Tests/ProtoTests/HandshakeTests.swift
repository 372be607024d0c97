import Packet
import Testing

@testable import Proto

@Suite struct HandshakeTests {
    private static let psk = PresharedKey(bytes: (0..<32).map { $0 })
    private var client: PrivateKey { PrivateKey(bytes: (1...32).map { $0 }) }
    private var server: PrivateKey { PrivateKey(bytes: (33...64).map { $0 }) }
    private let payload = InitPayload(timestamp: Timestamp(seconds: 7, nanoseconds: 8), previousSession: 9)

    private func makeInitiator(
        sessionID: UInt32 = 5, presharedKey: PresharedKey = psk,
        suite: CipherSuite = .chacha20poly1305
    ) throws -> Initiator {
        var entropy = Entropy(seed: [UInt8](repeating: 3, count: 32))
        return try Initiator(
            staticKey: client, responder: server.publicKey, presharedKey: presharedKey,
            suite: suite, sessionID: sessionID, payload: payload, entropy: &entropy)
    }

    private func initMessage(_ initiator: borrowing Initiator) -> [UInt8] {
        let buffer = Buffer()
        let length = initiator.writeInit(pathID: 3, cookie: nil, to: buffer.bytes).length
        return buffer.first(length)
    }

    private func respond(
        to message: [UInt8], sessionID: UInt32 = 6, presharedKey: PresharedKey = psk, seed: UInt8 = 4,
        suite: CipherSuite = .chacha20poly1305
    ) throws -> (message: [UInt8], keys: Buffer) {
        var entropy = Entropy(seed: [UInt8](repeating: seed, count: 32))
        let buffer = Buffer()
        let responder = try Responder(reading: Buffer(message).read, staticKey: server, suite: suite)
        let response = try responder.respond(
            sessionID: sessionID, presharedKey: presharedKey, payload: ResponsePayload(continues: true),
            pathID: 3, entropy: &entropy, to: buffer.bytes)
        // The tags of an empty datagram identify both keys.
        return (buffer.first(response.length), fingerprint(response.keys))
    }

    /// The tags of an empty datagram under the sending and the receiving key.
    private func fingerprint(_ keys: consuming TransportKeys) -> Buffer {
        let tags = Buffer(32)
        let header = Buffer(24)
        _ = keys.sending.seal(
            Blake2b.empty, into: tags.bytes, header: header.read, pathID: 0, packetNumber: 0)
        _ = keys.receiving.seal(
            Blake2b.empty, into: tags.bytes.dropping(16), header: header.read, pathID: 0, packetNumber: 0)
        return tags
    }

    private func error(_ body: () throws -> Void) -> ProtoError? {
        do {
            try body()
            return nil
        } catch { return error as? ProtoError }
    }

    @Test(arguments: CipherSuite.allCases) func completes(_ suite: CipherSuite) throws {
        let initiator = try makeInitiator(suite: suite)
        let message = initMessage(initiator)
        #expect(message.count == Wire.initSize)
        let opened = try Responder(reading: Buffer(message).read, staticKey: server, suite: suite)
        #expect(opened.initiator == client.publicKey)
        #expect(opened.initiatorSession == 5)
        #expect(opened.payload == payload)
        let (response, keys) = try respond(to: message, suite: suite)
        #expect(response.count == Wire.responseSize)
        #expect(Header(parsing: Buffer(response).read)?.sessionID == 5)
        #expect(Header(parsing: Buffer(response).read)?.pathID == 3)
        let established = try initiator.readResponse(Buffer(response).read)
        #expect(established.sessionID == 6)
        #expect(established.payload.continues)
        let tags = fingerprint(established.keys).first(32)
        #expect(Array(tags[..<16]) == Array(keys.first(32)[16...]))
        #expect(Array(tags[16...]) == Array(keys.first(32)[..<16]))
        #expect(tags[..<16] != tags[16...])
    }

    /// The paths' copies differ only in path ID and MACs, and each is a complete init.
    @Test func sameInitOnEveryPath() throws {
        let initiator = try makeInitiator()
        let (one, two) = (Buffer(), Buffer())
        let first = initiator.writeInit(pathID: 1, cookie: nil, to: one.bytes)
        let second = initiator.writeInit(pathID: 2, cookie: nil, to: two.bytes)
        #expect(first.mac1 != second.mac1)
        #expect(Array(one.first(156)[24...]) == Array(two.first(156)[24...]))
        let response = try respond(to: two.first(second.length)).message
        #expect(try initiator.readResponse(Buffer(response).read).sessionID == 6)
    }

    @Test func forgedResponseLeavesInitiatorIntact() throws {
        let initiator = try makeInitiator()
        let message = initMessage(initiator)
        let wrong = try respond(to: message, presharedKey: .none).message
        for _ in 0..<2 {
            let error = error { _ = try initiator.readResponse(Buffer(wrong).read) }
            #expect(error == .notAuthentic)
        }
        let response = try respond(to: message).message
        #expect(try initiator.readResponse(Buffer(response).read).sessionID == 6)
        // Two answers to one init, as when it arrived on two paths: both can be read, with their own keys.
        let other = try respond(to: message, sessionID: 77, seed: 99).message
        #expect(try initiator.readResponse(Buffer(other).read).sessionID == 77)
    }

    @Test func wrongKeysAreRefused() throws {
        let message = initMessage(try makeInitiator())
        let stranger = PrivateKey(bytes: [UInt8](repeating: 9, count: 32))
        #expect(
            error { _ = try Responder(reading: Buffer(message).read, staticKey: stranger) } == .notAuthentic)

        let other = initMessage(try makeInitiator(suite: .aes256gcm))
        #expect(error { _ = try Responder(reading: Buffer(other).read, staticKey: server) } == .notAuthentic)

        var entropy = Entropy(seed: [UInt8](repeating: 3, count: 32))
        let weak = PublicKey(bytes: [UInt8](repeating: 0, count: 32))
        let refused = error {
            _ = try Initiator(
                staticKey: client, responder: weak, sessionID: 1, payload: payload, entropy: &entropy)
        }
        #expect(refused == .weakKey)
    }

    /// An ephemeral key of small order, from an attacker, with a correct MAC1.
    @Test func weakEphemeralIsRefused() throws {
        var message = initMessage(try makeInitiator())
        message.replaceSubrange(28..<60, with: [UInt8](repeating: 0, count: 32))
        #expect(error { _ = try Responder(reading: Buffer(message).read, staticKey: server) } == .weakKey)

        let initiator = try makeInitiator()
        let response = Buffer(try respond(to: initMessage(initiator)).message)
        response.bytes.slice(28, 32).initializeMemory(as: UInt8.self, repeating: 0)
        _ = MacKey.mac1(client.publicKey).sign(response.bytes, cookie: nil)
        #expect(error { _ = try initiator.readResponse(response.read) } == .weakKey)
    }

    @Test func anotherSessionsResponse() throws {
        let response = try respond(to: initMessage(try makeInitiator(sessionID: 5))).message
        let other = try makeInitiator(sessionID: 50)
        #expect(error { _ = try other.readResponse(Buffer(response).read) } == .anotherSession)
    }

    /// Any holder of the public keys can compute a MAC1; the session IDs are bound nevertheless.
    @Test func alteredSessionIsRefused() throws {
        let initiator = try makeInitiator()
        let message = Buffer(initMessage(initiator))
        message.bytes[27] ^= 1
        _ = MacKey.mac1(server.publicKey).sign(message.bytes, cookie: nil)
        #expect(error { _ = try Responder(reading: message.read, staticKey: server) } == .alteredSession)

        let response = Buffer(try respond(to: initMessage(initiator)).message)
        response.bytes[27] ^= 1
        _ = MacKey.mac1(client.publicKey).sign(response.bytes, cookie: nil)
        #expect(error { _ = try initiator.readResponse(response.read) } == .alteredSession)
    }

    @Test func truncationIsRefused() throws {
        let initiator = try makeInitiator()
        let message = initMessage(initiator)
        let response = try respond(to: message).message
        for length in 0..<message.count {
            let cut = Buffer(Array(message[..<length]))
            #expect(error { _ = try Responder(reading: cut.read, staticKey: server) } == .notThisMessage)
        }
        for length in 0..<response.count {
            let cut = Buffer(Array(response[..<length]))
            #expect(error { _ = try initiator.readResponse(cut.read) } == .notThisMessage)
        }
        let longer = Buffer(message + [0])
        #expect(error { _ = try Responder(reading: longer.read, staticKey: server) } == .notThisMessage)
    }

    /// Every bit of an init is covered by MAC1, except MAC2's; and even with a new MAC1, every bit of its Noise
    /// message.
    @Test func flippedBitsOfInit() throws {
        var entropy = Entropy(seed: [UInt8](repeating: 1, count: 32))
        let gatekeeper = Gatekeeper(staticPublic: server.publicKey, entropy: &entropy)
        let message = initMessage(try makeInitiator())
        #expect(gatekeeper.admitsMac1(Buffer(message).read))
        for bit in 0..<172 * 8 {
            let flipped = Buffer(message)
            flipped.bytes[bit / 8] ^= 1 << (bit % 8)
            #expect(!gatekeeper.admitsMac1(flipped.read), "bit \(bit)")
            // The top bit of an X25519 key is ignored (RFC 7748), but not by the hash.
            if bit >= 24 * 8 && bit < 156 * 8 {
                #expect(
                    error { _ = try Responder(reading: flipped.read, staticKey: server) } != nil, "\(bit)")
            }
        }
    }

    @Test func flippedBitsOfResponse() throws {
        let initiator = try makeInitiator()
        let response = try respond(to: initMessage(initiator)).message
        for bit in 0..<108 * 8 {
            let flipped = Buffer(response)
            flipped.bytes[bit / 8] ^= 1 << (bit % 8)
            #expect(error { _ = try initiator.readResponse(flipped.read) } != nil, "bit \(bit)")
            // Everything but the header is bound by more than MAC1, which any holder of the public keys can
            // compute.
            guard (24 * 8..<92 * 8).contains(bit) else { continue }
            _ = MacKey.mac1(client.publicKey).sign(flipped.bytes, cookie: nil)
            #expect(error { _ = try initiator.readResponse(flipped.read) } != nil, "bit \(bit), signed")
        }
        #expect(try initiator.readResponse(Buffer(response).read).sessionID == 6)
    }

    @Test func noRoomForResponse() throws {
        var entropy = Entropy(seed: [UInt8](repeating: 4, count: 32))
        let responder = try Responder(
            reading: Buffer(initMessage(try makeInitiator())).read, staticKey: server)
        let small = Buffer(Wire.responseSize - 1)
        var refused: ProtoError?
        do throws(ProtoError) {
            _ = try responder.respond(
                sessionID: 6, payload: ResponsePayload(continues: false), pathID: 3, entropy: &entropy,
                to: small.bytes)
        } catch { refused = error }
        #expect(refused == .noRoom)
    }

    @Test func timestamps() {
        let times = [
            Timestamp.zero, Timestamp(seconds: 0, nanoseconds: 1), Timestamp(seconds: 1, nanoseconds: 0),
            Timestamp(seconds: 1, nanoseconds: .max), Timestamp(seconds: .max, nanoseconds: 0),
        ]
        #expect(times.sorted() == times)
        #expect(zip(times, times.dropFirst()).allSatisfy { $0 < $1 })
    }
}
