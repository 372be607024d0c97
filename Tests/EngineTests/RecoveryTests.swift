import Packet
import Proto
import Scheduler
import Testing

@testable import Engine

@Suite struct RecoveryTests {
    /// Two paths and traffic of 100 packets a second each way, running for 2 s.
    private func busyWorld(
        _ links: [String] = ["100/10", "50/30"], mode: Mode = .stripe, seed: UInt64, every ms: Int64 = 10
    ) throws -> (World, Traffic) {
        let world = try World(clients: [links], mode: mode, seed: seed)
        world.run(for: .seconds(1))
        let traffic = Traffic(world).add(from: 0, every: .milliseconds(ms)).add(
            from: -1, every: .milliseconds(ms))
        traffic.run(for: .seconds(2))
        #expect(world.server.flows.total.count > 150 && world.clients[0].flows.total.count > 150)
        return (world, traffic)
    }

    /// How long both directions are interrupted after `event`; also checks for duplicates and reused nonces.
    private func interruption(_ world: World, _ traffic: Traffic, _ event: () -> Void) -> Interval {
        let start = world.now
        event()
        traffic.run(for: .seconds(8))
        let end = world.now
        #expect(world.server.nonces.repeated == 0 && world.clients[0].nonces.repeated == 0)
        #expect(world.server.flows.total.duplicates == 0 && world.clients[0].flows.total.duplicates == 0)
        return max(
            world.server.delivered.longestGap(after: start, until: end),
            world.clients[0].delivered.longestGap(after: start, until: end))
    }

    @Test(arguments: Array(UInt64(1)...5))
    func aClientThatRestartsIsBackWithin3Seconds(_ seed: UInt64) throws {
        let (world, traffic) = try busyWorld(seed: seed)
        let gap = interruption(world, traffic) { world.restartClient(0) }
        #expect(gap <= .seconds(3), "seed \(seed): \(gap.milliseconds) ms")
        #expect(world.server.established(continuing: false) == 2 && world.server.engine.sessions.count == 1)
    }

    @Test(arguments: Array(UInt64(1)...5))
    func aServerThatRestartsIsBackWithin3Seconds(_ seed: UInt64) throws {
        let (world, traffic) = try busyWorld(seed: seed)
        let gap = interruption(world, traffic) { world.restartServer() }
        #expect(gap <= .seconds(3), "seed \(seed): \(gap.milliseconds) ms")
        #expect(world.clients[0].established(continuing: false) == 2)
    }

    /// One of the client's interfaces leads nowhere: it must not hide that the others died.
    @Test func aPathThatNeverWorkedHidesNoRestart() throws {
        let world = try World(clients: [["100/10", "50/30"]], seed: 9)
        world.link(2).isDown = true
        world.run(for: .seconds(2))
        let traffic = Traffic(world).add(from: 0, every: .milliseconds(10)).add(
            from: -1, every: .milliseconds(10))
        traffic.run(for: .seconds(1))
        let gap = interruption(world, traffic) { world.restartServer() }
        #expect(gap <= .seconds(3), "\(gap.milliseconds) ms")
    }

    /// Single lost probes on an idle path mean nothing, but probing must continue.
    @Test(arguments: Array(UInt64(1)...10))
    func anIdlePathOfHeavyLossIsStillWatched(_ seed: UInt64) throws {
        let world = try World(clients: [["10/10,loss=30%", "10/20"]], seed: seed)
        world.run(for: .seconds(20))
        world.link(1).isDown = true
        world.run(for: .seconds(5))
        #expect(world.clients[0].states(of: 1).last == .down, "seed \(seed)")
    }

    /// Radio links that delay everything for a moment, as in a handover: nothing is lost, and the session
    /// continues.
    @Test(arguments: [["50/10"], ["50/10", "50/20"]]) func aSilenceOfAllPathsIsNoEnd(_ links: [String]) throws
    {
        let (world, traffic) = try busyWorld(links, seed: 10)
        for link in world.links {
            link.up.shape.delay += 400_000_000
            link.down.shape.delay += 400_000_000
        }
        traffic.run(for: .seconds(4))
        for link in world.links {
            link.up.shape.delay -= 400_000_000
            link.down.shape.delay -= 400_000_000
        }
        traffic.run(for: .seconds(4))
        world.run(for: .seconds(2))
        #expect(world.clients[0].states(of: 1).contains(.down))
        #expect(world.clients[0].established(continuing: false) == 1 && world.clients[0].closed == 0)
        #expect(world.server.established(continuing: false) == 1 && world.server.closed == 0)
        #expect(world.server.flows.total.count >= traffic.sent / 2 * 9 / 10)
        #expect(world.clients[0].flows.total.count >= traffic.sent / 2 * 9 / 10)
    }

    /// Only handshakes pass, as with a client whose packet numbers went back: it gets a new session soon.
    @Test func aSessionThatNobodyHearsIsGivenUp() throws {
        let (world, traffic) = try busyWorld(["100/10"], seed: 11)
        let session = try #require(world.clients[0].session())
        let id = session.pointee.paths[0].pointee.sent.next
        world.onWire = { towardsServer, _, bytes in
            guard world.clients[0].established(continuing: false) == 1, towardsServer,
                let header = bytes.withUnsafeBytes({ Header(parsing: $0) })
            else {
                return true
            }
            return header.kind == .handshakeInit || header.packetNumber < id
        }
        traffic.run(for: .seconds(8))
        #expect(world.clients[0].established(continuing: false) == 2)
        #expect((1...3).contains(world.clients[0].established(continuing: true)))
        let before = world.server.flows.total.count
        world.onWire = nil
        traffic.run(for: .seconds(1))
        #expect(world.server.flows.total.count > before + 50)
    }

    @Test(arguments: Array(UInt64(1)...5))
    func aNewAddressBehindANATIsFollowed(_ seed: UInt64) throws {
        let (world, traffic) = try busyWorld(["100/10"], seed: seed)
        let gap = interruption(world, traffic) { world.link(1).clientEndpoint.port = 55_555 }
        #expect(gap <= .seconds(1), "seed \(seed): \(gap.milliseconds) ms")
        let isTold = world.server.events.contains {
            if case .pathMoved(_, 1, let remote) = $0 { remote.port == 55_555 } else { false }
        }
        #expect(isTold && world.clients[0].established(continuing: false) == 1)
    }

    @Test(arguments: Array(UInt64(1)...5))
    func aClientMayRoamWithAllItsPaths(_ seed: UInt64) throws {
        let (world, traffic) = try busyWorld(seed: seed)
        let gap = interruption(world, traffic) {
            for path in UInt16(1)...2 {
                world.link(path).clientEndpoint = Endpoint(
                    address: IPAddress(v4: 0xC633_6400 + UInt32(path)), port: 7)
            }
        }
        #expect(gap <= .seconds(1), "seed \(seed): \(gap.milliseconds) ms")
        #expect(world.clients[0].established(continuing: false) == 1)
    }

    @Test(arguments: Array(UInt64(1)...5))
    func aBlackholedPathInterruptsFor300MillisecondsAtMost(_ seed: UInt64) throws {
        let (world, traffic) = try busyWorld(seed: seed)
        let gap = interruption(world, traffic) { world.link(1).isDown = true }
        #expect(gap <= .milliseconds(300), "seed \(seed): \(gap.milliseconds) ms")
        world.run(for: .seconds(1))
        // Packets in flight on it were retransmitted on the other one.
        #expect(world.server.flows.total.count == traffic.sent / 2)
        #expect(world.clients[0].flows.total.count == traffic.sent / 2)
        #expect(world.clients[0].states(of: 1).suffix(2) == [.suspect, .down])
        #expect(world.server.states(of: 1).suffix(1) == [.down])
    }

    @Test(arguments: [UInt16(1), 2])
    func redundantLosesNothingWithAPath(_ path: UInt16) throws {
        let (world, traffic) = try busyWorld(mode: .redundant, seed: 1)
        let gap = interruption(world, traffic) { world.link(path).isDown = true }
        world.run(for: .seconds(1))
        #expect(world.server.flows.total.count == traffic.sent / 2 && world.server.flows.total.late == 0)
        #expect(
            world.clients[0].flows.total.count == traffic.sent / 2 && world.clients[0].flows.total.late == 0)
        // The other path is 20 ms slower, and a packet is sent every 10 ms.
        #expect(gap <= .milliseconds(10 + 20 + 20), "\(gap.milliseconds) ms")
        if path == 2 { #expect(gap <= .milliseconds(10 + 20), "\(gap.milliseconds) ms") }
    }

    @Test func redundantMakesUpForIndependentLoss() throws {
        let world = try World(clients: [["20/10,loss=5%", "20/12,loss=5%"]], mode: .redundant, seed: 3)
        world.run(for: .seconds(1))
        let traffic = Traffic(world).add(from: 0, every: .milliseconds(2), payload: 200)
        traffic.run(for: .seconds(80))
        world.run(for: .seconds(1))
        let lost = Double(traffic.sent - world.server.flows.total.count) / Double(traffic.sent)
        #expect(lost <= 0.006, "\(lost * 100) % of \(traffic.sent)")
        #expect(world.server.flows.total.duplicates == 0)
    }

    @Test func aPathGoesDownAndComesBackOnce() throws {
        let (world, traffic) = try busyWorld(seed: 4)
        world.link(2).isDown = true
        traffic.run(for: .seconds(5))
        world.link(2).isDown = false
        traffic.run(for: .seconds(12))
        #expect(world.clients[0].states(of: 2) == [.up, .suspect, .down, .up])
        #expect(world.clients[0].states(of: 1) == [.up] && world.server.states(of: 1) == [.up])
        #expect(world.server.states(of: 2).suffix(2) == [.down, .up])
    }

    /// When the only path comes back, it stays up: probes lost in the meantime mean nothing.
    @Test func theOnlyPathComesBackOnce() throws {
        let (world, traffic) = try busyWorld(["100/10"], seed: 5)
        world.link(1).isDown = true
        traffic.run(for: .milliseconds(900))
        world.link(1).isDown = false
        traffic.run(for: .seconds(5))
        #expect(world.clients[0].states(of: 1) == [.up, .suspect, .down, .up])
    }

    /// A path that alternates between a second up and a second down disturbs nothing, and is held back longer
    /// and longer.
    @Test func aFlappingPathIsHeldBack() throws {
        let (world, traffic) = try busyWorld(seed: 6)
        let start = world.now
        for _ in 0..<20 {
            world.link(2).isDown = true
            traffic.run(for: .seconds(1))
            world.link(2).isDown = false
            traffic.run(for: .seconds(1))
        }
        let gap = world.server.delivered.longestGap(after: start, until: world.now)
        #expect(gap <= .milliseconds(300), "\(gap.milliseconds) ms")
        let rises = world.clients[0].states(of: 2).count { $0 == .up }
        #expect(rises <= 7, "came up \(rises) times in 40 s")
        world.run(for: .seconds(1))
        #expect(world.server.flows.total.count == traffic.sent / 2, "nothing was lost for it")
        traffic.run(for: .seconds(40))
        #expect(world.clients[0].states(of: 2).last == .up)
    }

    /// Interfaces come and go all day: path IDs increase, and a session's 16 slots are reused.
    @Test func pathsMayBeReplacedForEver() throws {
        let (world, traffic) = try busyWorld(["100/10"], seed: 7)
        for id in UInt16(2)...40 {
            let link = world.link(id - 1)
            world.clients[0].engine.removePath(link.path, now: world.now)
            link.path = id
            link.clientEndpoint.port += 1
            world.setPath(id)
            traffic.run(for: .milliseconds(1500))
        }
        let before = world.server.flows.total.count
        traffic.run(for: .seconds(1))
        #expect(world.server.flows.total.count >= before + 95)
        #expect(world.clients[0].established(continuing: false) == 1)
        #expect(world.server.session()!.pointee.paths.count <= 16)
        #expect(world.clients[0].nonces.repeated == 0 && world.server.nonces.repeated == 0)
    }

    @Test func aRemovedPathsNumbersAreNeverUsedAgain() throws {
        let (world, traffic) = try busyWorld(seed: 8)
        world.clients[0].engine.removePath(2, now: world.now)
        traffic.run(for: .seconds(1))
        world.setPath(2)
        traffic.run(for: .seconds(2))
        #expect(world.clients[0].nonces.repeated == 0 && world.server.nonces.repeated == 0)
        #expect(world.server.flows.total.duplicates == 0 && world.server.flows.total.count > 450)
    }
}
