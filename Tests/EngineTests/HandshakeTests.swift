import Packet
import Proto
import Testing

@testable import Engine

@Suite struct HandshakeTests {
    private func kind(_ bytes: [UInt8]) -> Kind? { bytes.withUnsafeBytes { Header(parsing: $0)?.kind } }

    private func isUp(_ world: World, _ client: Int = 0) -> Bool {
        world.server.session(client)?.pointee.keys.isConfirmed == true
            && world.clients[client].session() != nil
    }

    @Test(arguments: [1, 3, 8])
    func lostInitsAreRepeated(_ losses: Int) throws {
        let world = try World(clients: [["100/10"]], seed: 1, attached: false)
        var lost = 0
        world.onWire = { towardsServer, _, bytes in
            guard towardsServer, kind(bytes) == .handshakeInit, lost < losses else { return true }
            lost += 1
            return false
        }
        world.attach(0)
        let time = world.time(until: .seconds(20)) { isUp(world) }
        #expect(try #require(time) < .milliseconds(1300 * Int64(losses)))
        #expect(lost == losses)
    }

    @Test(arguments: [1, 3, 8])
    func lostResponsesAreRepeated(_ losses: Int) throws {
        let world = try World(clients: [["100/10"]], seed: 2, attached: false)
        var lost = 0
        world.onWire = { towardsServer, _, bytes in
            guard !towardsServer, kind(bytes) == .handshakeResponse, lost < losses else { return true }
            lost += 1
            return false
        }
        world.attach(0)
        let time = world.time(until: .seconds(20)) { isUp(world) }
        #expect(try #require(time) < .milliseconds(1300 * Int64(losses)))
    }

    /// Longer than the retransmission timeout of an init: its answer must still count.
    @Test(arguments: [600, 1100, 1500])
    func aLongRoundTripIsNoObstacle(_ oneWay: Int) throws {
        let world = try World(clients: [["10/\(oneWay)", "10/\(oneWay + 50)"]], seed: 3)
        let time = world.time(until: .seconds(20)) { isUp(world) }
        #expect(try #require(time) <= .milliseconds(Int64(oneWay) * 3 + 50))
        Traffic(world).add(from: 0, every: .milliseconds(100)).run(for: .seconds(10))
        world.run(for: .seconds(5))
        #expect(world.server.flows.total.count >= 95 && world.clients[0].established(continuing: false) == 1)
    }

    /// The daemon finds its interfaces one after the other, even during a search.
    @Test func pathsMayAppearWhileAHandshakeIsUnderWay() throws {
        let world = try World(clients: [["100/10", "50/30", "20/60"]], seed: 4, attached: false)
        for path in UInt16(1)...3 {
            world.setPath(path)
            world.run(for: .milliseconds(15))
        }
        world.run(for: .seconds(1))
        #expect(isUp(world) && world.clients[0].established(continuing: false) == 1)
        #expect(world.clients[0].session()?.pointee.paths.count == 3)
        for path in UInt16(1)...3 { #expect(world.clients[0].states(of: path) == [.up]) }
    }

    @Test(arguments: Array(UInt64(1)...10))
    func assignmentArrivesDespiteLoss(_ seed: UInt64) throws {
        let world = try World(clients: [["10/20,loss=40%"]], seed: seed)
        let time = world.time(until: .seconds(30)) {
            world.clients[0].events.contains { if case .assigned = $0 { true } else { false } }
        }
        #expect(time != nil, "seed \(seed)")
    }

    @Test func anUnknownKeyIsRefused() throws {
        let world = try World(clients: [["100/10"], ["100/10"]], seed: 5, attached: false)
        world.server.engine.replacePeers([world.peers[0]])
        world.attach(0)
        world.attach(1)
        var answers: [[UInt8]] = []
        world.onWire = { towardsServer, link, bytes in
            if !towardsServer && link.client == 1 { answers.append(bytes) }
            return true
        }
        world.run(for: .seconds(5))
        #expect(isUp(world) && world.clients[1].session() == nil)
        // It gets a refusal, and nothing else.
        #expect(!answers.isEmpty && answers.allSatisfy { $0.count == Wire.refusalSize && $0[3] >> 4 == 13 })
        #expect(world.server.engine.sessions.count == 1 && world.server.drops.unknownKey >= 4)
    }

    @Test func theSharedKeyMustBeRight() throws {
        let right = PresharedKey(bytes: [UInt8](repeating: 7, count: 32))
        let world = try World(clients: [["100/10"], ["100/10"]], seed: 6, sharedKey: right, attached: false)
        world.clientSharedKeys[1] = PresharedKey(bytes: [UInt8](repeating: 8, count: 32))
        for client in 0...1 { world.restartClient(client) }
        world.run(for: .seconds(5))
        #expect(isUp(world) && !isUp(world, 1))
        #expect(world.clients[1].session() == nil && world.server.session(1) == nil)
        #expect(world.clients[1].drops.handshake > 0)
    }

    /// Copies of an init arrive by other paths; one answer serves them all.
    @Test func copiesOfAnInitGetTheSameResponse() throws {
        let world = try World(clients: [["100/10", "50/30", "20/60"]], seed: 7, attached: false)
        var responses: [[UInt8]] = []
        world.onWire = { towardsServer, _, bytes in
            if kind(bytes) == .handshakeResponse { responses.append(bytes) }
            return true
        }
        for path in UInt16(1)...3 { world.setPath(path) }
        world.run(for: .milliseconds(900))
        #expect(responses.count == 3 && Set(responses).count == 1)
        #expect(world.server.engine.sessions.count == 1 && isUp(world))
    }

    /// A replayed init never creates a session, from whatever address.
    @Test func aReplayedInitChangesNothing() throws {
        let world = try World(clients: [["100/10"]], seed: 8, attached: false)
        var inits: [[UInt8]] = []
        world.onWire = { _, _, bytes in
            if kind(bytes) == .handshakeInit { inits.append(bytes) }
            return true
        }
        world.attach(0)
        world.run(for: .seconds(8))
        let elsewhere = Link(socket: 0, remote: try #require(Endpoint("198.51.100.9:999")))
        let before = world.server.engine.sessions.count
        for _ in 0..<200 { for bytes in inits { world.inject(bytes, at: -1, from: elsewhere) } }
        #expect(world.server.engine.sessions.count == before && world.server.engine.peers[0].pending == nil)
        Traffic(world).add(from: 0, every: .milliseconds(10)).run(for: .seconds(1))
        #expect(world.server.flows.total.count >= 95 && world.clients[0].established(continuing: false) == 1)
    }
}
