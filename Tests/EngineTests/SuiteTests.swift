import Packet
import Proto
import Testing

@testable import Engine

/// Two Engines configured with cipher suites, the same or different ones.
@Suite struct SuiteTests {
    /// One server and one client, connected only by this loop.
    private struct Pair: ~Copyable {
        static let serverEndpoint = Endpoint("203.0.113.1:5000")!
        static let clientEndpoint = Endpoint("198.51.100.7:40000")!

        var server: Engine
        var client: Engine
        var now = Instant.zero + .seconds(1)
        var serverEvents: [EngineEvent] = []
        var clientEvents: [EngineEvent] = []
        /// The server's datagrams.
        var answers: [[UInt8]] = []
        /// The client's datagrams.
        var inits: [[UInt8]] = []

        init(server suite: CipherSuite, client clientSuite: CipherSuite, knowsClient: Bool = true) {
            let serverKey = PrivateKey(bytes: (33...64).map { $0 })
            let clientKey = PrivateKey(bytes: (1...32).map { $0 })
            let known = knowsClient ? clientKey.publicKey : PublicKey(bytes: (7..<39).map { $0 })
            server = Engine(
                EngineConfiguration(
                    role: .server, peers: [.init(name: "laptop", publicKey: known)], suite: suite,
                    poolCapacity: 64),
                staticKey: serverKey, seed: [UInt8](repeating: 1, count: 32))
            client = Engine(
                EngineConfiguration(
                    role: .client, peers: [.init(name: "server", publicKey: serverKey.publicKey)],
                    suite: clientSuite, poolCapacity: 64),
                staticKey: clientKey, seed: [UInt8](repeating: 2, count: 32))
            client.setPath(1, role: .primary, link: Link(socket: 1, remote: Self.serverEndpoint), now: now)
        }

        /// Runs both for `length`, in turns of 10 ms.
        mutating func run(for length: Interval) {
            let end = now + length
            var outbox = Outbox()
            while now < end {
                now = now + .milliseconds(10)
                let wall = Timestamp(seconds: 1_700_000_000 + now.nanoseconds / 1_000_000_000, nanoseconds: 0)
                _ = client.service(into: &outbox, now: now, wall: wall)
                for i in 0..<outbox.count {
                    let datagram = outbox.datagram(outbox[i])
                    inits.append([UInt8](datagram))
                    server.receive(
                        UnsafeRawBufferPointer(datagram), from: Link(socket: 0, remote: Self.clientEndpoint),
                        now: now)
                }
                outbox.clear()
                _ = server.service(into: &outbox, now: now, wall: wall)
                for i in 0..<outbox.count {
                    let datagram = outbox.datagram(outbox[i])
                    answers.append([UInt8](datagram))
                    client.receive(
                        UnsafeRawBufferPointer(datagram), from: Link(socket: 1, remote: Self.serverEndpoint),
                        now: now)
                }
                outbox.clear()
                serverEvents += server.takeEvents()
                clientEvents += client.takeEvents()
            }
        }

        var mismatches: [String] {
            serverEvents.compactMap { if case .suiteMismatch(let peer) = $0 { peer } else { nil } }
        }
        var refusals: Int { clientEvents.count { if case .suiteRefused = $0 { true } else { false } } }
        var sessions: Int { clientEvents.count { if case .established = $0 { true } else { false } } }
    }

    @Test(arguments: CipherSuite.allCases.filter(\.isAvailable)) func sameSuite(_ suite: CipherSuite) {
        var pair = Pair(server: suite, client: suite)
        pair.run(for: .seconds(2))
        let (sessions, mismatches, refusals) = (pair.sessions, pair.mismatches, pair.refusals)
        #expect(sessions == 1 && mismatches.isEmpty && refusals == 0)
        let drops = pair.server.drops
        #expect(drops.forged == 0 && drops.suiteMismatch == 0 && drops.handshake == 0)
    }

    /// Both ends report it, once a minute, and no session is established.
    @Test(
        .enabled(if: CipherSuite.aes256gcm.isAvailable),
        arguments: [
            (CipherSuite.chacha20poly1305, CipherSuite.aes256gcm), (.aes256gcm, .chacha20poly1305),
        ])
    func otherSuite(_ server: CipherSuite, _ client: CipherSuite) {
        var pair = Pair(server: server, client: client)
        pair.run(for: .seconds(30))
        let (sessions, mismatches, refusals) = (pair.sessions, pair.mismatches, pair.refusals)
        #expect(sessions == 0 && mismatches == ["laptop"] && refusals == 1)
        let drops = pair.server.drops
        #expect(drops.suiteMismatch > 10 && drops.handshake == 0)
        #expect(drops.suiteMismatch == UInt64(pair.inits.count))
        // No answer is larger than its request.
        let (sent, received) = (pair.answers.joined().count, pair.inits.joined().count)
        #expect(sent == pair.answers.count * Wire.refusalSize && sent < received)

        pair.run(for: .seconds(60))
        let (laterMismatches, laterRefusals) = (pair.mismatches.count, pair.refusals)
        #expect(laterMismatches == 2 && laterRefusals == 2)
    }

    /// A stranger, who only knows the server's key, gets no answer.
    @Test(.enabled(if: CipherSuite.aes256gcm.isAvailable)) func strangersHearNothing() {
        var pair = Pair(server: .chacha20poly1305, client: .aes256gcm, knowsClient: false)
        pair.run(for: .seconds(5))
        let (mismatches, answers, drops) = (pair.mismatches, pair.answers, pair.server.drops)
        #expect(mismatches.isEmpty && answers.isEmpty)
        #expect(drops.handshake > 0 && drops.suiteMismatch == 0)
    }

    /// An init from when the client had another suite is neither answered nor believed when replayed.
    @Test(.enabled(if: CipherSuite.aes256gcm.isAvailable)) func replaysAreNotBelieved() throws {
        var before = Pair(server: .chacha20poly1305, client: .aes256gcm)
        before.run(for: .seconds(2))
        let recorded = try #require(before.inits.first)

        var after = Pair(server: .chacha20poly1305, client: .chacha20poly1305)
        after.now = after.now + .seconds(10)
        after.run(for: .seconds(1))
        let sessions = after.sessions
        #expect(sessions == 1)
        recorded.withUnsafeBytes {
            after.server.receive($0, from: Link(socket: 0, remote: Pair.clientEndpoint), now: after.now)
        }
        after.run(for: .milliseconds(100))
        let (mismatches, drops) = (after.mismatches, after.server.drops)
        #expect(mismatches.isEmpty && drops.suiteMismatch == 0 && drops.handshake == 1)
    }

    /// An observer of the client's inits cannot make it report an error.
    @Test func forgedRefusalIsDropped() throws {
        var pair = Pair(server: .chacha20poly1305, client: .chacha20poly1305, knowsClient: false)
        pair.run(for: .milliseconds(500))
        let first = try #require(pair.inits.first)
        let id = first[24..<28].reduce(0 as UInt32) { $0 << 8 | UInt32($1) }
        var forged = [UInt8](repeating: 9, count: Wire.refusalSize)
        forged.withUnsafeMutableBytes {
            Header(kind: .cookie, flags: Refusal.suite.rawValue, sessionID: id, pathID: 1).write(to: $0)
        }
        forged.withUnsafeBytes {
            pair.client.receive($0, from: Link(socket: 1, remote: Pair.serverEndpoint), now: pair.now)
        }
        pair.run(for: .milliseconds(100))
        let (refusals, drops) = (pair.refusals, pair.client.drops)
        #expect(refusals == 0 && drops.handshake == 1)
    }
}
