import Packet
import Proto
import Scheduler
import Testing

@testable import Engine

/// Copies of a slow path's ACKs take the fastest path: the sender learns of losses sooner, and of nothing else.
@Suite struct AckCopiesTests {
    /// A busy world of two paths, with bulk data from the client.
    private func busyWorld(_ links: [String], seed: UInt64 = 3) throws -> (World, Traffic) {
        let world = try World(clients: [links], seed: seed)
        world.run(for: .seconds(1))
        let traffic = Traffic(world).add(from: 0, every: .microseconds(200))
        traffic.run(for: .seconds(4))
        return (world, traffic)
    }

    private func path(_ id: UInt16, of node: Node) throws -> UnsafeMutablePointer<Path> {
        let session = try #require(node.session())
        let found = session.pointee.paths.find(id)
        let index = try #require(found)
        return session.pointee.paths[index]
    }

    @Test func aSlowPathsLossesAreReportedByTheFastOne() throws {
        let (world, traffic) = try busyWorld(["30/10", "50/70"])
        #expect(try path(2, of: world.clients[0]).pointee.earlyReports.areUsual(now: world.now))
        #expect(try !path(1, of: world.clients[0]).pointee.earlyReports.areUsual(now: world.now))
        // The next data datagram on the slow path is lost.
        var (lostAt, resent): (Instant?, UInt64) = (nil, 0)
        world.onWire = { towardsServer, link, bytes in
            guard lostAt == nil, towardsServer, link.path == 2, bytes.count > 1000 else { return true }
            lostAt = world.now
            resent = world.clients[0].session()?.pointee.counters.resent ?? 0
            return false
        }
        var repairedAt: Instant?
        traffic.run(for: .seconds(1)) { now in
            let count = world.clients[0].session()?.pointee.counters.resent ?? 0
            if lostAt != nil && repairedAt == nil && count > resent { repairedAt = now }
        }
        let delay = try #require(repairedAt) - #require(lostAt)
        // 70 ms there, three datagrams, 10 ms back. The slow path alone would take 140 ms.
        #expect(delay < .milliseconds(110), "\(delay.milliseconds) ms")
        // The receiver waits three repairs of a round trip of 20 ms, and not of 80 ms.
        let hold = try #require(world.server.session()).pointee.delivery.repairHold
        #expect(hold < .milliseconds(150), "\(hold.milliseconds) ms")
    }

    /// A copy arrives first and leaves nothing to acknowledge, but only the ACK on the path itself shows a round
    /// trip.
    @Test func roundTripsComeFromThePathsOwnACKs() throws {
        let (world, traffic) = try busyWorld(["30/10", "50/70"])
        #expect(try path(2, of: world.clients[0]).pointee.rtt.minimum >= .milliseconds(140))
        world.link(2).down.shape.delay += 60_000_000
        traffic.run(for: .seconds(2))
        let rtt = try path(2, of: world.clients[0]).pointee.rtt.smoothed
        #expect(rtt > .milliseconds(190) && rtt < .milliseconds(230), "\(rtt.milliseconds) ms")
    }

    @Test func pathsOfEqualDelayNeedNone() throws {
        let (world, _) = try busyWorld(["30/20", "50/22"])
        for id in [UInt16(1), 2] {
            #expect(try !path(id, of: world.clients[0]).pointee.earlyReports.areUsual(now: world.now))
            #expect(try !path(id, of: world.server).pointee.ackCopies.isOn)
        }
    }

    /// Without data there is nothing to repair.
    @Test func anIdleTunnelSendsNone() throws {
        let world = try World(clients: [["30/10", "50/70"]], seed: 3)
        world.run(for: .seconds(30))
        for node in [world.clients[0], world.server] {
            #expect(try !path(2, of: node).pointee.earlyReports.areUsual(now: world.now))
        }
    }

    /// Copies hide that a path's own ACKs no longer arrive. It is still found out.
    @Test func aPathThatWorksOnlyOneWayGoesDown() throws {
        let (world, traffic) = try busyWorld(["30/10", "50/70"])
        world.link(2).down.shape.isDown = true
        traffic.run(for: .seconds(4))
        #expect(world.clients[0].states(of: 2).last == .down)
        #expect(world.clients[0].states(of: 1) == [.up])
        world.link(2).down.shape.isDown = false
        traffic.run(for: .seconds(4))
        #expect(world.clients[0].states(of: 2).last == .up)
    }

    @Test func whatArrivesPaysForTheCopies() {
        var copies = AckCopies()
        var (received, count): (UInt64, UInt64) = (0, 0)
        for _ in 0..<10_000 {
            received += 640
            if copies.take(received: received, isUrgent: true) { count += 1 }
        }
        #expect(count * 153 <= received / 64 + 8 * 1024 && count * 153 > received / 80)
        // Half of the credit is for reports of losses.
        let isRegularPaid = copies.take(received: received, isUrgent: false)
        #expect(!isRegularPaid)
        received += 64 * 5000
        let isPaidLater = copies.take(received: received, isUrgent: false)
        #expect(isPaidLater)
        // A peer's count that wraps or falls earns nothing that can overflow.
        for received in [UInt64.max, 0, UInt64.max / 2] {
            _ = copies.take(received: received, isUrgent: true)
        }
    }

    @Test func copyingBeginsAndEndsAtDifferentLeads() {
        var copies = AckCopies()
        copies.weigh(lead: .milliseconds(4))
        #expect(!copies.isOn)
        copies.weigh(lead: .milliseconds(5))
        copies.weigh(lead: .milliseconds(3))
        #expect(copies.isOn)
        copies.weigh(lead: .milliseconds(2))
        #expect(!copies.isOn)
    }

    /// A host that reads its sockets only every 20 ms knows from its kernel when datagrams arrived.
    @Test(arguments: [false, true]) func aBusyHostIsNoJitter(hasStamps: Bool) throws {
        let world = try World(clients: [["50/10"]], seed: 4)
        world.readingInterval = .milliseconds(20)
        world.hasReceiveStamps = hasStamps
        world.run(for: .seconds(1))
        Traffic(world).add(from: 0, every: .milliseconds(3)).add(from: -1, every: .milliseconds(3)).run(
            for: .seconds(4))
        for node in [world.clients[0], world.server] {
            let path = try path(1, of: node)
            #expect((path.pointee.rtt.smoothed < .milliseconds(24)) == hasStamps)
            #expect((path.pointee.delay.jitter < .milliseconds(1)) == hasStamps)
            if hasStamps { #expect(path.pointee.inboundDelay.jitter < .milliseconds(1)) }
        }
    }
}
