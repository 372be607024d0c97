import Packet
import Proto
import Testing

@testable import Engine

@Suite struct HandshakeLimitTests {
    private func v4(_ number: UInt32) -> IPAddress { IPAddress(v4: 0x0B00_0000 + number) }

    private func buckets(_ seed: UInt8 = 1) -> SourceBuckets {
        var entropy = Entropy(seed: Array(repeating: seed, count: 32))
        let key = PrivateKey(bytes: Array(repeating: 7, count: 32)).publicKey
        return SourceBuckets(Gatekeeper(staticPublic: key, entropy: &entropy).sourceHash, isServer: true)
    }

    /// 10,000 a second from one address: 5 at once and 20 a second pass, with the burst once more when the salt changes.
    @Test func aSourceHasItsRateAndNoMore() {
        var buckets = buckets()
        var passed = 0
        for i in 0..<300_000 {
            let now = Instant(nanoseconds: 50_000_000_000 + UInt64(i) * 100_000)
            if buckets.take(v4(1), now: now) { passed += 1 }
        }
        #expect((600...615).contains(passed), "\(passed)")
    }

    /// However many other addresses come, none of them refills the first one's bucket.
    @Test func aFloodOfAddressesResetsNoBucket() {
        var buckets = buckets()
        let now = Instant(nanoseconds: 5_000_000_000)
        var passed = 0
        for i in 0..<100_000 {
            _ = buckets.take(v4(UInt32(2 + i)), now: now)
            if buckets.take(v4(1), now: now) { passed += 1 }
        }
        #expect(passed == 5)
    }

    @Test func sourcesThatFloodHardlyTouchOthers() {
        var buckets = buckets()
        var refused = 0
        for i in 0..<2000 {
            let now = Instant(nanoseconds: 5_000_000_000 + UInt64(i) * 10_000_000)
            for source in 0..<200 as Range<UInt32> { _ = buckets.take(v4(source), now: now) }
            if !buckets.take(v4(100_000 + UInt32(i)), now: now) { refused += 1 }
        }
        #expect(refused <= 10, "\(refused) of 2000")
    }

    /// Sources that empty a victim's buckets under one secret leave them alone under another.
    @Test func anotherSecretMakesOtherCollisions() {
        let now = Instant(nanoseconds: 5_000_000_000)
        var first = buckets(1)
        var second = buckets(2)
        // With 6000 sources a quarter of all others share four buckets with them.
        for source in 0..<6000 as Range<UInt32> {
            for _ in 0..<5 {
                _ = first.take(v4(source), now: now)
                _ = second.take(v4(source), now: now)
            }
        }
        var refused = (first: 0, both: 0)
        for source in 10_000..<14_000 as Range<UInt32> {
            let isFirst = !first.take(v4(source), now: now)
            let isSecond = !second.take(v4(source), now: now)
            if isFirst { refused.first += 1 }
            if isFirst && isSecond { refused.both += 1 }
        }
        #expect(refused.first > 400, "\(refused)")
        #expect(refused.both < refused.first * 9 / 10 && refused.both > 0, "\(refused)")
    }

    /// An IPv6 host has a /64 to choose from, and many sites a /48.
    @Test func ipv6SourcesAreNetworks() {
        var buckets = buckets()
        let now = Instant(nanoseconds: 5_000_000_000)
        let host = (0..<1000 as Range<UInt64>).count {
            buckets.take(IPAddress(v6High: 0x2001_0DB8_0001_0000, low: $0), now: now)
        }
        let site = (0..<1000 as Range<UInt64>).count {
            buckets.take(IPAddress(v6High: 0x2001_0DB8_0002_0000 + $0, low: 1), now: now)
        }
        #expect(host == 5 && site == 40)
        let isOtherTaken = buckets.take(IPAddress(v6High: 0x2001_0DB8_0003_0000, low: 1), now: now)
        #expect(isOtherTaken)
    }

    @Test func waitingDatagramsComeOutInOrder() {
        var ring = DatagramRing<Int>(capacity: 3)
        func bytes(_ number: Int) -> [UInt8] { Array(repeating: UInt8(number), count: number) }
        var (put, took) = (0, 0)
        for round in 0..<50 {
            while ring.append(bytes(put % 100 + 1), put) { put += 1 }
            #expect(ring.count == 3)
            for _ in 0...round % 3 {
                let first = ring.first.map { (note: $0.note, bytes: Array($0.datagram)) }
                #expect(first?.note == took && first?.bytes == bytes(took % 100 + 1))
                ring.removeFirst()
                took += 1
            }
        }
        let isTaken = ring.append(Array(repeating: 1, count: Wire.initSize + 1), 0)
        #expect(!isTaken)
    }
}

extension DatagramRing {
    fileprivate mutating func append(_ bytes: [UInt8], _ note: Note) -> Bool {
        bytes.withUnsafeBytes { append($0, note) }
    }
}

/// Inits by strangers who know the server's key.
private struct StrangersInits {
    private let server: PublicKey
    private var entropy = Entropy(seed: Array(repeating: 77, count: 32))

    init(_ world: World) { server = PrivateKey(bytes: world.serverKey).publicKey }

    /// An init with its own key.
    mutating func next() throws -> Initiator {
        try Initiator(
            staticKey: .generate(&entropy), responder: server, sessionID: entropy.next32() | 1,
            payload: InitPayload(timestamp: Timestamp(seconds: 1_700_000_000, nanoseconds: 0)),
            entropy: &entropy)
    }

    static func bytes(_ initiator: borrowing Initiator, cookie: Cookie? = nil) -> (bytes: [UInt8], mac1: Mac)
    {
        var bytes = [UInt8](repeating: 0, count: Wire.initSize)
        let mac1 = bytes.withUnsafeMutableBytes {
            initiator.writeInit(pathID: 1, cookie: cookie, to: $0).mac1
        }
        return (bytes, mac1)
    }

    /// The server's cookie for `endpoint`.
    func cookie(of world: World, for endpoint: Endpoint, _ initiator: borrowing Initiator) throws -> Cookie {
        let (bytes, mac1) = Self.bytes(initiator)
        var jar = CookieJar(responder: server)
        var entropy = Entropy(seed: Array(repeating: 5, count: 32))
        var datagram = [UInt8](repeating: 0, count: Wire.cookieSize)
        _ = bytes.withUnsafeBytes { bytes in
            datagram.withUnsafeMutableBytes {
                world.server.engine.gatekeeper.writeCookie(
                    answering: bytes, to: endpoint, now: world.now, entropy: &entropy, into: $0)
            }
        }
        let isRead = datagram.withUnsafeBytes { jar.read($0, answering: mac1, now: world.now) }
        #expect(isRead)
        return try #require(jar.current(world.now))
    }
}

@Suite struct HandshakeFloodTests {
    private let stranger = Link(
        socket: 0, remote: Endpoint(address: IPAddress(v4: 0xC633_6401), port: 9999))

    /// All inits arrive at once, without a turn in between: the expensive part is done for sixteen, whatever
    /// their sources.
    @Test func aTurnOpensSixteenInits() throws {
        let world = try World(clients: [["100/10"]], seed: 1)
        world.run(for: .seconds(1))
        var inits = StrangersInits(world)
        let before = world.server.drops.unknownKey
        for number in 0..<200 as Range<UInt32> {
            let (bytes, _) = StrangersInits.bytes(try inits.next())
            let link = Link(
                socket: 0, remote: Endpoint(address: IPAddress(v4: 0xC633_0000 + number), port: 9999))
            bytes.withUnsafeBytes { world.server.engine.receive($0, from: link, now: world.now) }
        }
        #expect(world.server.drops.unknownKey == before)
        let wall = Timestamp(seconds: 1_700_000_100, nanoseconds: 0)
        for _ in 0..<3 {
            _ = world.server.engine.service(into: &world.server.outbox, now: world.now, wall: wall)
        }
        #expect(world.server.drops.unknownKey == before + 16)
        #expect(world.server.engine.nextDeadline() > world.now)
        world.run(for: .milliseconds(1))
        // 64 may wait without a cookie; the others were offered one.
        #expect(world.server.drops.unknownKey == before + 64)
        #expect(world.server.drops.cookies == 136 && world.server.drops.handshakeFull == 0)
    }

    /// 10,000 inits per second with valid cookies from one address, each with its own key, and 20,000 without
    /// from anywhere: the address gets its 20 per second, a client gets its session, and traffic continues.
    @Test func aFloodCostsLittleAndHarmsNobody() throws {
        let world = try World(clients: [["100/10"], ["100/10"]], seed: 2, attached: false)
        world.attach(0)
        world.run(for: .seconds(2))
        var inits = StrangersInits(world)
        let cookie = try inits.cookie(of: world, for: stranger.remote, inits.next())
        var (with, without): ([[UInt8]], [[UInt8]]) = ([], [])
        for _ in 0..<100 {
            let initiator = try inits.next()
            with.append(StrangersInits.bytes(initiator, cookie: cookie).bytes)
            without.append(StrangersInits.bytes(initiator).bytes)
        }
        let before = world.server.drops
        let traffic = Traffic(world).add(from: 0, every: .milliseconds(5)).add(
            from: -1, every: .milliseconds(5))
        var sent: UInt64 = 0
        var up: Interval?
        let start = world.now
        for turn in 0..<3000 as Range<UInt64> {
            if turn == 1000 { world.attach(1) }
            for _ in 0..<10 {
                world.inject(with[Int(sent % 100)], at: -1, from: stranger)
                for _ in 0..<2 {
                    let number = UInt32(truncatingIfNeeded: sent &* 2_654_435_761)
                    let link = Link(socket: 0, remote: Endpoint(address: IPAddress(v4: number), port: 7))
                    world.inject(without[Int(sent % 100)], at: -1, from: link)
                }
                sent += 1
            }
            traffic.run(for: .milliseconds(1))
            if up == nil && world.clients[1].session() != nil { up = world.now - start - .seconds(1) }
        }
        #expect(try #require(up) <= .milliseconds(200))
        world.run(for: .seconds(1))
        #expect(world.server.flows.total.count + world.clients[0].flows.total.count == traffic.sent)
        // 256 of each second need no cookie; beyond those the source has its bucket.
        let opened = world.server.drops.unknownKey - before.unknownKey
        #expect(opened <= 4 * 256 + 4 * 20 + 5, "\(opened)")
        let limited = world.server.drops.sourceLimited - before.sourceLimited
        #expect(limited >= sent - 4 * 256 - 4 * 20 - 5, "\(limited) of \(sent)")
        #expect(world.server.engine.sessions.count == 2)
    }

    /// A client that requests one session after the other gets twenty at once and twenty per second.
    @Test func aPeerHasItsShareOfSessions() throws {
        let world = try World(clients: [["100/10"], ["100/10"]], seed: 3)
        world.run(for: .seconds(1))
        let key = PrivateKey(bytes: world.clientKeys[0])
        let server = PrivateKey(bytes: world.serverKey).publicKey
        var entropy = Entropy(seed: Array(repeating: 1, count: 32))
        var responses = 0
        for number in 0..<500 as Range<UInt32> {
            let initiator = try Initiator(
                staticKey: key, responder: server, sessionID: number + 1,
                payload: InitPayload(timestamp: Timestamp(seconds: 1_800_000_000, nanoseconds: number)),
                entropy: &entropy)
            let before = world.server.engine.peers[0].lastTimestamp
            world.inject(
                StrangersInits.bytes(initiator).bytes, at: -1, from: world.serverSide(world.link(1)))
            world.run(for: .milliseconds(10))
            if world.server.engine.peers[0].lastTimestamp != before { responses += 1 }
        }
        #expect((110...125).contains(responses), "\(responses) in 5 s")
        #expect(world.server.drops.peerLimited >= 100)
    }

    /// An init recorded while the client's clock was ahead is replayed by an attacker over and over: the session
    /// that the client has established with its correct clock survives.
    @Test func recordedInitsOfAClockThatWasAheadEndNoSession() throws {
        let world = try World(clients: [["100/10"]], seed: 4, attached: false)
        var recorded: [[UInt8]] = []
        world.onWire = { towardsServer, _, bytes in
            if towardsServer && bytes[3] == Kind.handshakeInit.rawValue { recorded.append(bytes) }
            return true
        }
        world.clients[0].wallOffset = 1000
        world.attach(0)
        world.run(for: .seconds(2))
        for _ in 0..<3 {
            world.restartClient(0)
            world.run(for: .seconds(2))
        }
        let replays = recorded
        world.clients[0].wallOffset = 0
        world.restartClient(0)
        let time = world.time(until: .seconds(30)) { world.clients[0].session() != nil }
        #expect(try #require(time) <= .seconds(13))
        world.run(for: .seconds(1))
        let sessions = world.clients[0].established(continuing: false)
        let elsewhere = Link(socket: 0, remote: Endpoint(address: IPAddress(v4: 0xC633_6409), port: 999))
        let traffic = Traffic(world).add(from: 0, every: .milliseconds(100))
        for second in 0..<400 {
            if second % 20 == 0 {
                world.inject(replays[second / 20 % replays.count], at: -1, from: elsewhere)
            }
            traffic.run(for: .seconds(1))
        }
        #expect(replays.count >= 4)
        #expect(world.clients[0].established(continuing: false) == sessions && world.clients[0].closed == 0)
        #expect(world.clients[0].established(continuing: true) >= 3)
    }
}
