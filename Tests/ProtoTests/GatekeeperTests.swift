import Packet
import Testing

@testable import Proto

@Suite struct GatekeeperTests {
    private static let here = Endpoint(address: IPAddress(v4: 0xCB00_7107), port: 5000)
    /// 40 s after a secret's time began.
    private let start = Instant.zero + .seconds(1000)
    private var server: PrivateKey { PrivateKey(bytes: (33...64).map { $0 }) }

    private func makeInitiator() throws -> Initiator {
        var entropy = Entropy(seed: [UInt8](repeating: 3, count: 32))
        return try Initiator(
            staticKey: PrivateKey(bytes: (1...32).map { $0 }), responder: server.publicKey, sessionID: 5,
            payload: InitPayload(timestamp: .zero), entropy: &entropy)
    }

    private func initMessage(_ cookie: Cookie? = nil) throws -> (message: Buffer, mac1: Mac) {
        let initiator = try makeInitiator()
        let buffer = Buffer(Wire.initSize)
        return (buffer, initiator.writeInit(pathID: 1, cookie: cookie, to: buffer.bytes).mac1)
    }

    /// A gatekeeper that gave `here` a cookie at `start`, its generator, and the cookie's datagram.
    private func challenged() throws -> (Gatekeeper, Entropy, Buffer) {
        var entropy = Entropy(seed: [UInt8](repeating: 1, count: 32))
        let gatekeeper = Gatekeeper(staticPublic: server.publicKey, entropy: &entropy)
        let answer = Buffer(Wire.cookieSize)
        let length = gatekeeper.writeCookie(
            answering: try initMessage().message.read, to: Self.here, now: start, entropy: &entropy,
            into: answer.bytes)
        #expect(length == Wire.cookieSize)
        return (gatekeeper, entropy, answer)
    }

    private func cookie(in answer: Buffer) throws -> Cookie {
        var jar = CookieJar(responder: server.publicKey)
        let isRead = jar.read(answer.read, answering: try initMessage().mac1, now: start)
        #expect(isRead)
        return try #require(jar.current(start))
    }

    @Test func mac1() throws {
        var entropy = Entropy(seed: [UInt8](repeating: 1, count: 32))
        let message = try initMessage().message
        let right = Gatekeeper(staticPublic: server.publicKey, entropy: &entropy)
        let wrong = Gatekeeper(staticPublic: PrivateKey.generate(&entropy).publicKey, entropy: &entropy)
        #expect(right.admitsMac1(message.read))
        #expect(!wrong.admitsMac1(message.read))
        for length in 0..<Wire.initSize { #expect(!right.admitsMac1(message.read.slice(0, length))) }
        // A MAC of the right key on another kind of message does not suffice.
        Header(kind: .handshakeResponse, sessionID: 0, pathID: 1).write(to: message.bytes)
        _ = MacKey.mac1(server.publicKey).sign(message.bytes, cookie: nil)
        #expect(!right.admitsMac1(message.read))
    }

    @Test func cookieAdmitsItsAddressOnly() throws {
        let (gatekeeper, _, answer) = try challenged()
        let plain = try initMessage().message
        let message = try initMessage(try cookie(in: answer)).message
        #expect(gatekeeper.admitsMac1(message.read))
        #expect(gatekeeper.admitsMac2(message.read, from: Self.here, now: start))
        #expect(!gatekeeper.admitsMac2(plain.read, from: Self.here, now: start))
        for other in [
            Endpoint(address: IPAddress(v4: 0xCB00_7108), port: 5000),
            Endpoint(address: IPAddress(v4: 0xCB00_7107), port: 5001),
            Endpoint(address: IPAddress(v6High: 0, low: 0xCB00_7107), port: 5000),
            Endpoint(address: IPAddress(v4: 0xCB00_7107), port: 5000, zone: 1),
        ] {
            #expect(!gatekeeper.admitsMac2(message.read, from: other, now: start))
        }
        for bit in 0..<Wire.initSize * 8 {
            let flipped = Buffer(message.first(Wire.initSize))
            flipped.bytes[bit / 8] ^= 1 << (bit % 8)
            #expect(!gatekeeper.admitsMac2(flipped.read, from: Self.here, now: start), "bit \(bit)")
        }
        for length in 0..<Wire.initSize {
            #expect(!gatekeeper.admitsMac2(message.read.slice(0, length), from: Self.here, now: start))
        }
    }

    /// Secrets are used for 120 s and accepted for 120 s more, including for a cookie given at the end of its
    /// secret's time.
    @Test func cookieExpires() throws {
        var (gatekeeper, entropy, answer) = try challenged()
        let message = try initMessage(try cookie(in: answer)).message
        func admits(after seconds: Int64) -> Bool {
            gatekeeper.admitsMac2(message.read, from: Self.here, now: start + .seconds(seconds))
        }
        #expect(admits(after: 0))
        #expect(admits(after: 199))
        #expect(!admits(after: 200))
        #expect(!admits(after: -41), "a secret of the future")
        _ = gatekeeper.writeCookie(
            answering: try initMessage().message.read, to: Self.here, now: start + .seconds(79),
            entropy: &entropy, into: answer.bytes)
        #expect(try initMessage(cookie(in: answer)).message.first(188) == message.first(188), "one secret")
        _ = gatekeeper.writeCookie(
            answering: try initMessage().message.read, to: Self.here, now: start + .seconds(80),
            entropy: &entropy, into: answer.bytes)
        #expect(try initMessage(cookie(in: answer)).message.first(188) != message.first(188), "the next one")
    }

    /// A server's shards share the seed: each accepts the others' cookies.
    @Test func cookiesAreGoodAtTheOtherShards() throws {
        let (_, _, answer) = try challenged()
        let message = try initMessage(try cookie(in: answer)).message
        for (seed, isShared) in [(UInt8(1), true), (2, false)] {
            var entropy = Entropy(seed: [UInt8](repeating: seed, count: 32))
            let other = Gatekeeper(staticPublic: server.publicKey, entropy: &entropy)
            #expect(other.admitsMac2(message.read, from: Self.here, now: start) == isShared)
        }
    }

    @Test func jarExpires() throws {
        let (_, _, answer) = try challenged()
        var jar = CookieJar(responder: server.publicKey)
        #expect(jar.current(start) == nil)
        let isRead = jar.read(answer.read, answering: try initMessage().mac1, now: start)
        #expect(isRead)
        #expect(jar.current(start + .seconds(119)) != nil)
        #expect(jar.current(start + .seconds(120)) == nil)
    }

    @Test func jarRefusesForgeries() throws {
        let (_, _, answer) = try challenged()
        let mac1 = try initMessage().mac1
        var jar = CookieJar(responder: server.publicKey)
        for bit in 24 * 8..<Wire.cookieSize * 8 {
            let flipped = Buffer(answer.first(Wire.cookieSize))
            flipped.bytes[bit / 8] ^= 1 << (bit % 8)
            let isRead = jar.read(flipped.read, answering: mac1, now: start)
            #expect(!isRead, "bit \(bit)")
        }
        for length in 0..<Wire.cookieSize {
            let isRead = jar.read(answer.read.slice(0, length), answering: mac1, now: start)
            #expect(!isRead)
        }
        // Not an answer to this message, or not from the responder.
        let other = Mac(Buffer([UInt8](repeating: 1, count: 16)).read)
        let answersOther = jar.read(answer.read, answering: other, now: start)
        var strangers = CookieJar(responder: PrivateKey(bytes: (1...32).map { $0 }).publicKey)
        let isStrangers = strangers.read(answer.read, answering: mac1, now: start)
        #expect(!answersOther && !isStrangers)
        #expect(jar.current(start) == nil)
    }

    @Test func versionReply() throws {
        var entropy = Entropy(seed: [UInt8](repeating: 1, count: 32))
        let gatekeeper = Gatekeeper(staticPublic: server.publicKey, entropy: &entropy)
        let reply = Buffer()
        let later = Buffer(300)
        later.bytes.storeBigEndian(Wire.magic, at: 0)
        later.bytes[2] = 2
        later.bytes.storeBigEndian(UInt32(0x0102_0304), at: 24)
        #expect(gatekeeper.writeVersionReply(answering: later.read, into: reply.bytes) == 0)  // no MAC1
        _ = MacKey.mac1(server.publicKey).sign(later.bytes, cookie: nil)
        #expect(gatekeeper.writeVersionReply(answering: later.read, into: reply.bytes) == 24)
        #expect(hex(reply.first(24)) == hex(hex("424f 01 f3 01020304 0000000000000000 0000 000000000000")))
        for length in 0..<300 {
            #expect(
                gatekeeper.writeVersionReply(answering: later.read.slice(0, length), into: reply.bytes) == 0)
        }
        #expect(gatekeeper.writeVersionReply(answering: later.read, into: reply.bytes.slice(0, 23)) == 0)
        let ours = try initMessage().message
        #expect(gatekeeper.writeVersionReply(answering: ours.read, into: reply.bytes) == 0)
        // And the reply is not taken for a cookie.
        var jar = CookieJar(responder: server.publicKey)
        let isRead = jar.read(reply.read.slice(0, 24), answering: try initMessage().mac1, now: start)
        #expect(!isRead)
    }

    @Test func answersInitsOnly() throws {
        var (gatekeeper, entropy, answer) = try challenged()
        let message = try initMessage().message
        for length in 0..<Wire.initSize {
            let written = gatekeeper.writeCookie(
                answering: message.read.slice(0, length), to: Self.here, now: start, entropy: &entropy,
                into: answer.bytes)
            #expect(written == 0)
        }
        let written = gatekeeper.writeCookie(
            answering: message.read, to: Self.here, now: start, entropy: &entropy,
            into: answer.bytes.slice(0, Wire.cookieSize - 1))
        #expect(written == 0)
    }

    /// Random datagrams, and random damage to valid ones, into every entry point open to the network.
    @Test func fuzz() throws {
        let seed: UInt64 = 41
        var random = SplitMix(seed)
        var (gatekeeper, entropy, cookieAnswer) = try challenged()
        let initiator = try makeInitiator()
        let corpus = [try initMessage().message.first(Wire.initSize), cookieAnswer.first(Wire.cookieSize)]
        let mac1 = try initMessage().mac1
        let key = server
        let out = Buffer()
        var jar = CookieJar(responder: key.publicKey)
        for round in 0..<20_000 {
            var bytes = corpus.randomElement(using: &random) ?? []
            if round % 4 == 0 { bytes = random.bytes(.random(in: 0...200, using: &random)) }
            for _ in 0..<Int.random(in: 1...3, using: &random) where !bytes.isEmpty {
                bytes[.random(in: 0..<bytes.count, using: &random)] ^= UInt8.random(
                    in: 1...255, using: &random)
            }
            bytes = Array(bytes.prefix(.random(in: 0...220, using: &random)))
            if bytes.count > 3 {
                bytes[0] = 0x42
                bytes[1] = 0x4F
                bytes[2] = UInt8(round % 3)
            }
            let datagram = Buffer(bytes)
            _ = gatekeeper.writeCookie(
                answering: datagram.read, to: Self.here, now: start, entropy: &entropy, into: out.bytes)
            let isAdmitted =
                gatekeeper.admitsMac2(datagram.read, from: Self.here, now: start)
                || gatekeeper.writeVersionReply(answering: datagram.read, into: out.bytes) > 0
            var isEstablished = false
            if bytes.count == Wire.responseSize {
                isEstablished = (try? initiator.readResponse(datagram.read)) != nil
            }
            // Only the header's fields other than kind and length could differ unnoticed, and they were not the
            // only ones hit.
            let isCookie = jar.read(datagram.read, answering: mac1, now: start)
            let isUntouched = bytes.dropFirst(24).elementsEqual(corpus[1].dropFirst(24))
            #expect(
                !isAdmitted && !isEstablished && (!isCookie || isUntouched), "seed \(seed) round \(round)")
        }
    }
}
