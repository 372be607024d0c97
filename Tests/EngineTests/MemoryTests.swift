import Packet
import Testing

@testable import Engine

@Suite struct MemoryTests {
    /// After a load all memory is released, and the next load is not affected.
    @Test(arguments: [1, 2, 3] as [UInt64]) func whatALoadTookIsGivenBack(_ seed: UInt64) throws {
        let world = try World(clients: [["200/20", "100/60,loss=1%"]], seed: seed)
        world.run(for: .seconds(1))
        for load in 1...3 as ClosedRange<UInt16> {
            let before = (world.server.flows.total.count, world.server.givenBack, world.clients[0].givenBack)
            Traffic(world).add(from: 0, id: load, every: .microseconds(100)).run(for: .milliseconds(500))
            #expect(world.clients[0].engine.resources.pool.reach > Engine.keptBuffers)
            #expect(try #require(world.clients[0].session()).pointee.hasGrown)
            // 10 s until the sessions are idle, and two checks 2.5 s apart, each up to a probe later.
            world.run(for: .seconds(20))
            #expect(world.server.flows.total.count > before.0 + 1000)
            for (node, given) in [(world.server, before.1), (world.clients[0], before.2)] {
                #expect(node.buffers == 0 && node.engine.resources.pool.reach <= Engine.keptBuffers)
                #expect(try !#require(node.session()).pointee.hasGrown)
                #expect(given < node.givenBack || node === world.server, "\(node.name), seed \(seed)")
            }
        }
        #expect(world.server.flows.total.duplicates == 0)
        #expect(world.server.drops.malformed == 0 && world.server.drops.notIP == 0)
    }

    /// A trickle of packets keeps the pages that it uses, and no more.
    @Test func aTrickleKeepsLittle() throws {
        let world = try World(clients: [["200/20"]], seed: 4)
        world.run(for: .seconds(1))
        Traffic(world).add(from: 0, every: .microseconds(50)).run(for: .milliseconds(500))
        let before = world.server.flows.total.count
        let client = world.clients[0]
        let reach = client.engine.resources.pool.reach
        #expect(reach > Engine.keptBuffers && client.givenBack == 0)
        Traffic(world).add(from: 0, id: 2, every: .milliseconds(20)).run(for: .seconds(6))
        #expect(client.givenBack >= (reach - 20) * PacketPool.bufferSize)
        #expect(world.server.flows.total.count >= before + 290 && world.server.flows.total.late == 0)
    }
}
