import Packet
import Testing

@testable import Proto

/// A responder's refusal of an initiator with another cipher suite.
@Suite struct RefusalTests {
    private var client: PrivateKey { PrivateKey(bytes: (1...32).map { $0 }) }
    private var server: PrivateKey { PrivateKey(bytes: (33...64).map { $0 }) }

    private func makeInitiator(seed: UInt8 = 3, suite: CipherSuite = .aes256gcm) throws -> Initiator {
        var entropy = Entropy(seed: [UInt8](repeating: seed, count: 32))
        return try Initiator(
            staticKey: client, responder: server.publicKey, suite: suite, sessionID: 5,
            payload: InitPayload(timestamp: Timestamp(seconds: 7, nanoseconds: 8)), entropy: &entropy)
    }

    private func refusal(of initiator: borrowing Initiator, suite: CipherSuite = .aes256gcm) throws -> [UInt8]
    {
        let buffer = Buffer()
        let length = initiator.writeInit(pathID: 3, cookie: nil, to: buffer.bytes).length
        let responder = try Responder(
            reading: buffer.read.slice(0, length), staticKey: server, suite: suite)
        return buffer.first(responder.writeRefusal(.suite, pathID: 3, to: buffer.bytes))
    }

    @Test func isUnderstood() throws {
        let initiator = try makeInitiator()
        let datagram = try refusal(of: initiator)
        #expect(datagram.count == Wire.refusalSize)
        let header = try #require(Header(parsing: Buffer(datagram).read))
        #expect(header.kind == .cookie && header.flags == Refusal.suite.rawValue)
        #expect(header.sessionID == 5 && header.pathID == 3)
        let isRefused = initiator.refusal(in: Buffer(datagram).read) == .suite
        #expect(isRefused)
    }

    /// Every bit counts, and so does every byte.
    @Test func forgeriesAreNot() throws {
        let initiator = try makeInitiator()
        let datagram = try refusal(of: initiator)
        for bit in 0..<8 * datagram.count {
            var forged = datagram
            forged[bit / 8] ^= 1 << (bit % 8)
            let isRefused = initiator.refusal(in: Buffer(forged).read) == .suite
            #expect(!isRefused, "bit \(bit)")
        }
        for length in 0..<datagram.count {
            let isRefused = initiator.refusal(in: Buffer(Array(datagram[..<length])).read) == .suite
            #expect(!isRefused)
        }
        let isRefused = initiator.refusal(in: Buffer(datagram + [0]).read) == .suite
        #expect(!isRefused)
    }

    /// A refusal of another attempt does not concern this one, even if its session has the same ID.
    @Test func belongsToItsInit() throws {
        let datagram = try refusal(of: makeInitiator(seed: 4))
        let other = try makeInitiator(seed: 5)
        let isRefused = other.refusal(in: Buffer(datagram).read) == .suite
        #expect(!isRefused)
    }

    /// An attacker who knows all public keys and has seen the init cannot open it, and so cannot forge a refusal.
    @Test func strangersCannot() throws {
        let initiator = try makeInitiator()
        let buffer = Buffer()
        let length = initiator.writeInit(pathID: 3, cookie: nil, to: buffer.bytes).length
        let stranger = PrivateKey(bytes: [UInt8](repeating: 9, count: 32))
        #expect(throws: ProtoError.notAuthentic) {
            _ = try Responder(reading: buffer.read.slice(0, length), staticKey: stranger, suite: .aes256gcm)
        }
        // The suite is bound: the init cannot be read with another one.
        #expect(throws: ProtoError.notAuthentic) { _ = try refusal(of: initiator, suite: .chacha20poly1305) }
    }

    /// It is not a cookie and leaves the jar empty, so an initiator that does not know refusals is not misled.
    @Test func isNoCookie() throws {
        let initiator = try makeInitiator()
        let buffer = Buffer()
        let mac1 = initiator.writeInit(pathID: 3, cookie: nil, to: buffer.bytes).mac1
        var jar = CookieJar(responder: server.publicKey)
        let isRead = jar.read(Buffer(try refusal(of: initiator)).read, answering: mac1, now: .zero)
        #expect(!isRead)
    }
}
