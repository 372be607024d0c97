import Packet
import Proto
import Scheduler
import Testing

@testable import Engine

/// Networks that mishandle ECN bits.
@Suite struct MarksTests {
    /// Flow 1 without ECN and flow 2 with ECT(0), 200 packets a second each, both ways.
    private func run(_ world: World, for length: Interval) {
        var number: UInt64 = 0
        world.run(for: length, step: .milliseconds(5)) { _ in
            number += 1
            for (flow, ecn): (UInt16, UInt8) in [(1, 0), (2, 2)] {
                var up = Probe(World.inner(0), World.serverInner, flow: flow, number: number, payload: 600)
                up.ecn = ecn
                world.send(up, from: 0)
                var down = Probe(World.serverInner, World.inner(0), flow: flow, number: number, payload: 600)
                down.ecn = ecn
                world.send(down, from: -1)
            }
        }
        world.run(for: .seconds(1))
    }

    private func arrived(_ node: Node, flow: UInt16) -> Int {
        node.flows.records.filter { $0.key.flow == flow }.values.reduce(0) { $0 + $1.count }
    }

    private func expectAllArrived(_ world: World, but lost: Int = 0) {
        for node in [world.server, world.clients[0]] {
            for flow in UInt16(1)...2 {
                let count = arrived(node, flow: flow)
                #expect(count >= 600 - lost, "flow \(flow) at the \(node.name): \(count) of 600")
            }
        }
    }

    private func tells(_ node: Node, path: UInt16) -> (ignored: Int, stopped: Int) {
        (
            node.events.count { if case .marksIgnored(_, path) = $0 { true } else { false } },
            node.events.count { if case .marksStopped(_, path) = $0 { true } else { false } }
        )
    }

    /// Everything arrives as CE, on all paths or on one of two.
    @Test(arguments: [["50/10"], ["50/20", "50/10"]])
    func marksOfANetworkThatMarksEverythingAreIgnored(_ links: [String]) throws {
        let world = try World(clients: [links], seed: 1)
        let last = UInt16(links.count)
        world.remark = { _, link, ecn in link.path == last ? InnerPacket.ce : ecn }
        world.run(for: .seconds(1))
        run(world, for: .seconds(3))
        expectAllArrived(world, but: 3)
        #expect(tells(world.clients[0], path: last) == (1, 0))
        #expect(tells(world.server, path: last) == (1, 0))
        let report = try #require(world.clients[0].engine.reports(now: world.now).first)
        #expect(report.paths.map(\.ignoresMarks) == links.indices.map { $0 == links.count - 1 })
    }

    /// A legacy TOS value on every packet has no meaning and no effect.
    @Test(arguments: [UInt8(0), 1, 2])
    func otherCodepointsDoNoHarm(_ value: UInt8) throws {
        let world = try World(clients: [["50/10"]], seed: 2)
        world.remark = { _, _, _ in value }
        world.run(for: .seconds(1))
        run(world, for: .seconds(3))
        expectAllArrived(world)
        #expect(tells(world.clients[0], path: 1) == (0, 0))
    }

    /// Every packet with a codepoint is dropped, on all paths or on one of two: none is sent with one there.
    @Test(arguments: [["50/10"], ["50/20", "50/10"]])
    func whatHasACodepointIsDropped(_ links: [String]) throws {
        let world = try World(clients: [links], seed: 3)
        let last = UInt16(links.count)
        world.remark = { _, link, ecn in link.path == last && ecn != 0 ? nil : ecn }
        world.run(for: .seconds(1))
        run(world, for: .seconds(3))
        expectAllArrived(world, but: 20)
        #expect(tells(world.clients[0], path: last) == (0, 1))
        #expect(tells(world.server, path: last) == (0, 1))
    }

    /// A flow with ECN and no other traffic.
    @Test func aLoneFlowWithECNGetsThrough() throws {
        let world = try World(clients: [["50/10"]], seed: 4)
        world.remark = { _, _, ecn in ecn != 0 ? nil : ecn }
        world.run(for: .seconds(1))
        for number in UInt64(1)...10 {
            var probe = Probe(World.inner(0), World.serverInner, number: number)
            probe.ecn = 2
            world.send(probe, from: 0)
        }
        world.run(for: .seconds(1))
        #expect(world.server.flows.total.count == 10, "what was lost came again, unmarked")
    }

    /// Congestion correctly reported by a network is passed on inside, and loss does not cause packets to be
    /// sent unmarked.
    @Test func trueMarksAreHeeded() throws {
        let world = try World(clients: [["50/10,loss=5%,burst=4"]], seed: 5)
        var marked = 0
        world.remark = { _, _, ecn in
            guard ecn == 2 else { return ecn }
            marked += 1
            return marked % 10 == 0 ? InnerPacket.ce : ecn
        }
        world.run(for: .seconds(1))
        run(world, for: .seconds(3))
        #expect(tells(world.clients[0], path: 1) == (0, 0) && tells(world.server, path: 1) == (0, 0))
        #expect(world.server.drops.congested == 0)
    }
}
