import Packet
import Proto
import Scheduler
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
        let isAssigned = world.clients[0].events.contains {
            if case .assigned(let a) = $0 { a.mtu == 1400 } else { false }
        }
        #expect(isAssigned)
    }
}
