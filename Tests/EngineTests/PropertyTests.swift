import Packet
import Testing

@testable import Engine

@Suite struct PropertyTests {
    /// Many random worlds, a million packets in total: nothing arrives twice, no nonce is used twice, memory is
    /// bounded and released, and once all is well again, traffic flows.
    @Test func randomWorldsKeepTheRules() throws {
        var packets = 0
        var seed: UInt64 = 0
        while packets < TestSize.packets {
            seed += 1
            var random = try RandomWorld(seed: seed)
            let world = random.world
            let nodes = [world.server] + world.clients
            for node in nodes { node.keepsDeliveries = false }
            for round in 0..<20 {
                random.traffic.run(for: .milliseconds(100))
                if seed % 2 == 0 { random.disturb() }
                for node in nodes {
                    try #require(
                        node.buffers <= 4096 && node.engine.sessions.count <= 2 * world.clients.count)
                    try #require(isBounded(node), "\(random.description), round \(round)")
                }
            }
            random.heal()
            // After 10 s without data a session releases its memory for repairs in advance.
            world.run(for: .seconds(12))
            for node in nodes {
                let total = node.flows.total
                try #require(total.duplicates == 0, "\(random.description): \(node.name) got packets twice")
                try #require(
                    node.nonces.repeated == 0, "\(random.description): \(node.name) repeated a nonce")
                try #require(node.buffers == 0, "\(random.description): \(node.name) holds \(node.buffers)")
            }
            let before = nodes.reduce(0) { $0 + $1.flows.total.count }
            let sent = random.traffic.sent
            random.traffic.run(for: .seconds(2))
            world.run(for: .seconds(1))
            let came = nodes.reduce(0) { $0 + $1.flows.total.count } - before
            try #require(
                came > (random.traffic.sent - sent) / 10,
                "\(random.description): \(came) of \(random.traffic.sent - sent)")
            packets += random.traffic.sent
        }
        print("\(packets) packets in \(seed) worlds, seeds 1...\(seed)")
    }

    private func isBounded(_ node: Node) -> Bool {
        for peer in node.engine.peers {
            guard let session = peer.session else { continue }
            guard session.pointee.sendQueue.count <= 8192, session.pointee.delivery.held <= 8192,
                session.pointee.paths.count <= 16,
                session.pointee.sendQueue.held - session.pointee.sendQueue.count <= 4096
            else { return false }
        }
        return node.engine.resources.deliveries.isEmpty && node.events.count < 20_000
    }

    /// On links without loss and reordering, and that are not full, every packet arrives, and in order.
    @Test(arguments: Array(UInt64(1)...UInt64(TestSize.packets / 5000)))
    func wellBehavedLinksLoseAndReorderNothing(_ seed: UInt64) throws {
        let random = try RandomWorld(seed: seed, isGentle: true)
        let world = random.world
        random.traffic.run(for: .seconds(8))
        world.run(for: .seconds(1))
        var came = 0
        for node in [world.server] + world.clients {
            let total = node.flows.total
            came += total.count
            #expect(
                total.late == 0,
                "\(random.description): \(node.name) got \(total.late) of \(total.count) out of order")
            #expect(total.duplicates == 0)
        }
        #expect(came == random.traffic.sent, "\(random.description)")
    }

    /// The same seed gives the same world to the bit.
    @Test func aSeedRepeatsAWorld() throws {
        func run() throws -> [String] {
            var random = try RandomWorld(seed: 6)
            for _ in 0..<20 {
                random.traffic.run(for: .milliseconds(100))
                random.disturb()
            }
            return ([random.world.server] + random.world.clients).map {
                "\($0.flows.total) \($0.nonces.count) \($0.drops) \($0.events)"
            }
        }
        let first = try run()
        let second = try run()
        #expect(first == second)
    }
}
