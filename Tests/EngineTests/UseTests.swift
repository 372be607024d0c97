import Packet
import Proto
import Scheduler
import Testing

@testable import Engine

/// Idle paths determine nothing: neither how long packets wait, in either direction, nor how many may wait.
@Suite struct UseTests {
    /// A world whose two clocks differ by `days`, with bulk data both ways, with one fast path and an optional
    /// other one.
    private func world(_ other: (link: String, role: PathRole)?, days: Int64, seed: UInt64 = 5) throws
        -> World
    {
        let world = try World(
            clients: [["50/20"] + (other.map { [$0.link] } ?? [])], mode: .auto, seed: seed, attached: false,
            clientClock: .seconds(days * 86_400))
        world.setPath(1)
        if let other { world.setPath(2, role: other.role) }
        world.run(for: .seconds(2))
        Traffic(world).add(from: 0, every: .milliseconds(2)).add(from: -1, every: .milliseconds(2))
            .run(for: .seconds(6))
        return world
    }

    @Test(arguments: [
        ("20/120", PathRole.backup), ("20/600", .backup), ("20/600", .metered), ("20/600", .primary),
    ])
    func standbyAndFarPathsSetNoLimits(_ link: String, _ role: PathRole) throws {
        for days in [Int64(-100), 0, 100] {
            let alone = try world(nil, days: days)
            let both = try world((link, role), days: days)
            for isClient in [true, false] {
                func session(_ world: World) throws -> UnsafeMutablePointer<Session> {
                    try #require(isClient ? world.clients[0].session() : world.server.session())
                }
                let (a, b) = (try session(alone), try session(both))
                let name: Comment = "\(link) \(role), \(days) days, client \(isClient)"
                guard let other = b.pointee.paths.find(2) else {
                    Issue.record("there is no second path")
                    continue
                }
                #expect(b.pointee.paths[other].pointee.use == (role == .primary ? .far : .standby), name)
                #expect(b.pointee.delivery.hold < a.pointee.delivery.hold + .milliseconds(25), name)
                #expect(
                    b.pointee.delivery.repairHold < a.pointee.delivery.repairHold + .milliseconds(25), name)
                #expect(
                    b.pointee.sendQueue.flowLimits.target < a.pointee.sendQueue.flowLimits.target
                        + .milliseconds(5), name)
                #expect(
                    b.pointee.sendQueue.flowLimits.interval < a.pointee.sendQueue.flowLimits.interval
                        + .milliseconds(25), name)
                #expect(b.pointee.sendQueue.limit < a.pointee.sendQueue.limit * 5 / 4, name)
            }
        }
    }

    /// A flow whose packets fit only a path without room does not delay others.
    @Test func whatFitsNoPathWithRoomHoldsUpNobody() throws {
        var lanes = Lanes()
        var narrow = Lanes.Lane()
        narrow.isUsable = true
        narrow.limit = 1156
        lanes[0] = narrow
        lanes[1] = Lanes.Lane()
        let (isTooLarge, fits) = (lanes.isAnyTooNarrow(for: 1157), !lanes.isAnyTooNarrow(for: 1156))
        #expect(isTooLarge && fits)
        lanes[0].isUsable = false
        let waits = !lanes.isAnyTooNarrow(for: 1157)
        #expect(waits, "where there is no room at all, all wait alike")
        // One flow of large packets and one of small ones: the wide path's window is closed.
        let world = try World(clients: [["50/20", "50/10"]], seed: 6)
        world.link(2).up.shape.mtu = 1300
        world.link(2).down.shape.mtu = 1300
        world.run(for: .seconds(4))
        let session = try #require(world.clients[0].session())
        let wide = session.pointee.paths.find(1) ?? 0
        session.pointee.paths[wide].pointee.rate.cap = 1
        let before = world.server.flows.total.count
        Traffic(world).add(from: 0, id: 1, every: .milliseconds(1), payload: 1300)
            .add(from: 0, id: 2, every: .milliseconds(1), payload: 900).run(for: .seconds(1))
        let small = world.server.delivered.count { $0.packet.flow == 2 }
        #expect(small > 800 && world.server.flows.total.count > before, "\(small) of 1000")
    }

    @Test func anIDThatWasNeverUsedMayBeLowerThanOneThatIsGone() {
        var removed = RemovedPaths()
        removed.insert(9)
        #expect(!removed.admits(9) && removed.admits(3) && removed.admits(10))
        for id in UInt16(100)..<300 { removed.insert(id) }
        for id in UInt16(100)..<300 { #expect(!removed.admits(id)) }
        #expect(!removed.admits(9) && removed.admits(300) && removed.admits(.max))
    }

    /// A fast path is removed: the count of datagrams sealed on the others continues.
    @Test func keysAreCountedPathByPath() throws {
        let world = try World(clients: [["50/20", "10/20"]], seed: 8)
        world.run(for: .seconds(1))
        let session = try #require(world.clients[0].session())
        Traffic(world).add(from: 0, every: .milliseconds(1)).run(for: .seconds(2))
        session.pointee.beginCount()
        #expect(session.pointee.packetsUnderKeys == 0)
        world.clients[0].engine.removePath(1, now: world.now)
        Traffic(world).add(from: 0, every: .milliseconds(4)).run(for: .seconds(1))
        #expect(session.pointee.packetsUnderKeys > 200)
    }

    /// Another address is another network: half the rate, and a new search of the MTU. Another port alone is not.
    @Test func aNewNetworkIsLearntAnew() throws {
        for isElsewhere in [false, true] {
            let world = try World(clients: [["50/20"]], seed: 9)
            world.run(for: .seconds(1))
            let traffic = Traffic(world).add(from: 0, every: .milliseconds(2)).add(
                from: -1, every: .microseconds(300))
            traffic.run(for: .seconds(3))
            let path = try #require(world.server.session()).pointee.paths[0]
            let known = path.pointee.rate.rate
            let rate = try #require(known)
            if isElsewhere {
                world.link(1).clientEndpoint.address = IPAddress(v4: 0xC633_6401)
            } else {
                world.link(1).clientEndpoint.port = 55_555
            }
            var least = rate
            var wasFresh = false
            for _ in 0..<40 {
                traffic.run(for: .milliseconds(5))
                least = min(least, path.pointee.rate.rate ?? rate)
                wasFresh = wasFresh || path.pointee.rate.phase == .startup
            }
            #expect(path.pointee.link?.remote == world.link(1).clientEndpoint)
            #expect(wasFresh == isElsewhere && (least < rate * 0.7) == isElsewhere, "\(least) of \(rate)")
        }
    }
}
