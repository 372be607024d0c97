import Packet
import Proto
import Testing

@testable import Engine

@Suite struct SessionTests {
    @Test func firstPacketIsDelivered() throws {
        let world = try World(clients: [["100/10", "50/30"]], seed: 1)
        world.run(for: .seconds(1))
        world.send(Probe(World.inner(0), World.serverInner, number: 7), from: 0)
        world.run(for: .milliseconds(100))
        #expect(world.server.delivered.map(\.packet.number) == [7])
        world.send(Probe(World.serverInner, World.inner(0), number: 8), from: -1)
        world.run(for: .milliseconds(100))
        #expect(world.clients[0].delivered.map(\.packet.number) == [8])
        #expect(
            world.clients[0].events.contains {
                if case .assigned(let a) = $0 { a.mtu == 1400 } else { false }
            })
    }

    @Test func bulkUsesBothPaths() throws {
        let world = try World(clients: [["100/10", "50/30"]], seed: 2)
        world.run(for: .seconds(1))
        var number: UInt64 = 0
        // 140 Mbit/s offered: more than either path carries.
        world.run(for: .seconds(5), step: .microseconds(140)) { _ in
            for _ in 0..<2 {
                world.send(Probe(World.inner(0), World.serverInner, number: number), from: 0)
                number += 1
            }
        }
        let start = world.server.delivered.first!.time
        let late = world.server.delivered.filter { $0.time - start > .seconds(2) }
        let rate = Double(late.count) * 1228 * 8 / 3 / 1e6
        print("bulk: \(rate) Mbit/s")
        print(world.server.engine.resources.drops, world.clients[0].engine.resources.drops)
        let s = world.clients[0].engine.peers[0].session!
        for i in 0..<2 {
            let p = s.pointee.paths[i]
            print(
                p.pointee.rate.phase, (p.pointee.rate.rate ?? 0) * 8 / 1e6,
                p.pointee.rtt.smoothed.milliseconds, p.pointee.delay.queueing.milliseconds,
                p.pointee.lossRatio, p.pointee.counters, p.pointee.liveness.state)
        }
        print(world.server.engine.peers[0].session!.pointee.reorder.counters)
        #expect(rate > 120)
    }
}
