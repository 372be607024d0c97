import Packet
import Proto
import Scheduler
import Testing

@testable import Engine

/// The traffic that backup, metered and unused paths are spared.
@Suite struct RoleTests {
    /// The first path dies: traffic continues within 300 ms, both ways.
    private func failover(_ world: World, _ traffic: Traffic, _ name: String) {
        let start = world.now
        world.link(1).isDown = true
        traffic.run(for: .seconds(3))
        for node in [world.server, world.clients[0]] {
            let gap = node.delivered.longestGap(after: start, until: world.now)
            #expect(gap <= .milliseconds(300), "\(name), \(node.name): \(gap.milliseconds) ms")
        }
    }

    /// Only probes on the backup; when the primary dies, everything moves within 300 ms.
    @Test(arguments: Mode.allCases)
    func aBackupStepsInWithin300Milliseconds(_ mode: Mode) throws {
        let world = try World(clients: [["50/20", "50/5"]], mode: mode, seed: 1, attached: false)
        world.setPath(1)
        world.setPath(2, role: .backup)
        world.run(for: .seconds(1))
        var data = 0
        world.onWire = { _, link, bytes in
            if link.path == 2, bytes.withUnsafeBytes({ Header(parsing: $0)?.kind }) == .data { data += 1 }
            return true
        }
        let traffic = Traffic(world).add(from: 0, every: .milliseconds(5)).add(
            from: -1, every: .milliseconds(5))
        traffic.run(for: .seconds(5))
        #expect(data == 0)
        failover(world, traffic, "\(mode)")
    }

    /// Traffic on the primary path costs a metered one next to nothing, and it still takes over.
    @Test func aMeteredPathIsKeptReadyForNextToNothing() throws {
        let world = try World(clients: [["50/20", "50/5"]], seed: 2, attached: false)
        world.setPath(1)
        world.setPath(2, role: .metered)
        world.run(for: .seconds(70))
        var bytes = 0
        world.onWire = { _, link, datagram in
            if link.path == 2 { bytes += datagram.count + 28 }
            return true
        }
        let traffic = Traffic(world).add(from: 0, every: .milliseconds(50)).add(
            from: -1, every: .milliseconds(50))
        traffic.run(for: .seconds(600))
        // 70 MB a month.
        #expect(bytes > 0 && bytes < 16_000, "\(bytes) bytes")
        failover(world, traffic, "metered")
    }

    /// The only path is taken out of use, as when its data is used up: the server is told on the path itself,
    /// and stops using it. Then it is used again.
    @Test func theServerHearsTheLastWordOnTheOnlyPath() throws {
        let world = try World(clients: [["50/20"]], seed: 3)
        world.run(for: .seconds(1))
        let traffic = Traffic(world).add(from: 0, every: .milliseconds(5)).add(
            from: -1, every: .milliseconds(5))
        traffic.run(for: .seconds(2))
        world.setPath(1, role: .never)
        traffic.run(for: .milliseconds(50))
        #expect(try #require(world.server.session()).pointee.paths[0].pointee.role == .never)
        var sent = 0
        world.onWire = { _, _, _ in
            sent += 1
            return true
        }
        traffic.run(for: .seconds(20))
        #expect(sent == 0)
        #expect(world.clients[0].states(of: 1) == [.up, .down])
        world.setPath(1)
        let before = (world.server.flows.total.count, world.clients[0].flows.total.count)
        traffic.run(for: .seconds(4))
        #expect(world.server.flows.total.count > before.0 + 100)
        #expect(world.clients[0].flows.total.count > before.1 + 100)
        #expect(world.clients[0].nonces.repeated == 0 && world.server.nonces.repeated == 0)
    }
}
