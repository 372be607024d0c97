import Packet
import Proto
import Testing

@testable import Engine

@Suite struct KeyLifeTests {
    @Test(arguments: Array(UInt64(1)...3))
    func newKeysUnderTrafficLoseAndReorderNothing(_ seed: UInt64) throws {
        let world = try World(clients: [["100/10", "100/12"]], seed: seed)
        world.run(for: .seconds(1))
        let traffic = Traffic(world).add(from: 0, every: .milliseconds(4)).add(
            from: -1, every: .milliseconds(4))
        traffic.run(for: .seconds(118))
        #expect(world.clients[0].established(continuing: true) == 0)
        traffic.run(for: .seconds(4))
        #expect(world.clients[0].established(continuing: true) == 1)
        #expect(world.server.established(continuing: true) == 1)
        traffic.run(for: .seconds(120))
        world.run(for: .seconds(1))
        #expect(world.clients[0].established(continuing: true) == 2)
        for node in [world.server, world.clients[0]] {
            let total = node.flows.total
            #expect(
                total.count == traffic.sent / 2 && total.late == 0 && total.duplicates == 0, "seed \(seed)")
            #expect(node.nonces.repeated == 0 && node.closed == 0 && node.established(continuing: false) == 1)
            #expect(node.session()?.pointee.counters.rekeys == 2)
        }
    }

    /// Every datagram of the handshake for new keys may be lost for a minute.
    @Test func newKeysAreSoughtForAMinute() throws {
        let world = try World(clients: [["100/10"]], seed: 4)
        world.run(for: .seconds(1))
        let start = world.now
        world.onWire = { towardsServer, _, bytes in
            bytes.withUnsafeBytes { Header(parsing: $0)?.kind } != .handshakeResponse
                || world.now - start > .seconds(170)
        }
        let traffic = Traffic(world).add(from: 0, every: .milliseconds(20)).add(
            from: -1, every: .milliseconds(20))
        traffic.run(for: .seconds(175))
        world.run(for: .seconds(1))
        #expect(world.clients[0].established(continuing: true) == 1 && world.clients[0].closed == 0)
        #expect(world.server.flows.total.count == traffic.sent / 2)
        #expect(world.clients[0].flows.total.count == traffic.sent / 2)
    }

    @Test func oldKeysAreDroppedAfterTenSeconds() throws {
        let world = try World(clients: [["100/10"]], seed: 5)
        world.run(for: .seconds(119))
        let old = [
            try #require(world.clients[0].session()).pointee.keys.current.pointee.localID,
            try #require(world.server.session()).pointee.keys.current.pointee.localID,
        ]
        world.run(for: .seconds(3))
        #expect(world.clients[0].established(continuing: true) == 1)
        #expect(world.clients[0].engine.resources.keyring.find(old[0]) != nil)
        #expect(world.server.engine.resources.keyring.find(old[1]) != nil)
        world.run(for: .seconds(12))
        #expect(world.clients[0].engine.resources.keyring.find(old[0]) == nil)
        #expect(world.server.engine.resources.keyring.find(old[1]) == nil)
    }

    @Test func aPeerThatIsSilentForThreeMinutesIsGone() throws {
        let world = try World(clients: [["100/10"]], seed: 6)
        world.run(for: .seconds(5))
        world.server.isAlive = false
        world.run(for: .seconds(170))
        #expect(world.clients[0].closed == 0 && world.clients[0].session() != nil)
        world.run(for: .seconds(15))
        #expect(world.clients[0].closed == 1 && world.clients[0].session() == nil)
        let isUnanswered = world.clients[0].events.contains {
            if case .unanswered = $0 { true } else { false }
        }
        #expect(isUnanswered && world.clients[0].buffers == 0)
        // And the other way round.
        let other = try World(clients: [["100/10"]], seed: 7)
        other.run(for: .seconds(5))
        other.clients[0].isAlive = false
        Traffic(other).add(from: -1, every: .milliseconds(100)).run(for: .seconds(185))
        #expect(other.server.closed == 1 && other.server.session() == nil)
        #expect(other.server.engine.sessions.count == 0 && other.server.buffers == 0)
    }

    @Test func aGoodByeEndsTheSessionAtOnce() throws {
        let world = try World(clients: [["100/10", "50/30"]], seed: 8)
        world.run(for: .seconds(1))
        world.server.engine.closeAll(into: &world.server.outbox, now: world.now)
        world.flush(world.server, -1)
        world.server.isAlive = false
        world.run(for: .milliseconds(100))
        #expect(world.clients[0].closed == 1 && world.clients[0].session() == nil)
        world.server.isAlive = true
        world.restartServer()
        let time = world.time(until: .seconds(5)) { world.clients[0].session() != nil }
        #expect(try #require(time) <= .seconds(2))
        world.clients[0].engine.closeAll(into: &world.clients[0].outbox, now: world.now)
        world.flush(world.clients[0], 0)
        world.clients[0].isAlive = false
        world.run(for: .milliseconds(100))
        #expect(world.server.engine.sessions.count == 0)
    }
}

@Suite struct SuspendTests {
    /// The client's host sleeps while its clock continues: old keys seal nothing afterwards, and a session is
    /// established again at once.
    @Test(arguments: [8 * 3600, 200]) func aNightsSleepEndsTheKeys(_ seconds: Int64) throws {
        let world = try World(clients: [["100/10"]], seed: 31)
        let traffic = Traffic(world).add(from: 0, every: .milliseconds(10))
        traffic.run(for: .seconds(2))
        let old = try #require(world.clients[0].session()).pointee.keys.current.pointee.remoteID
        world.now = world.now + .seconds(seconds)
        var stale = 0
        world.onWire = { towardsServer, _, bytes in
            let header = bytes.withUnsafeBytes { Header(parsing: $0) }
            if towardsServer, header?.sessionID == old { stale += 1 }
            return true
        }
        world.run(for: .seconds(3))
        #expect(stale == 0)
        #expect(world.clients[0].established(continuing: false) == 2)
        let before = world.server.flows.total.count
        traffic.run(for: .seconds(1))
        #expect(world.server.flows.total.count >= before + 95)
    }
}
