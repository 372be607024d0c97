import Packet
import Proto
import Testing

@testable import Engine

/// A server of several shards: every session is in the right one, whatever arrives where.
@Suite struct ShardTests {
    private func world(
        _ count: Int, shards: Int, seed: UInt64, attached: Bool = true
    ) throws -> World {
        print("seed \(seed): \(count) clients, \(shards) shards")
        return try World(
            clients: (0..<count).map { _ in ["100/10", "50/30"] }, seed: seed, pool: 2048, attached: attached,
            shards: shards)
    }

    @Test(arguments: [1, 2, 3, 8]) func everyClientHasItsSessionAtItsShard(_ shards: Int) throws {
        let world = try world(10, shards: shards, seed: 1)
        world.run(for: .seconds(1))
        for client in 0..<10 {
            for shard in 0..<shards {
                let session = world.servers[shard].session(client)
                #expect((session != nil) == (shard == client % shards))
            }
            let id = try #require(world.clients[client].session()).pointee.keys.current.pointee.remoteID
            #expect(Int(id >> 16 & 7) == client % shards)
            #expect(world.clients[client].session()?.pointee.paths.count == 2)
        }
        #expect(world.servers.allSatisfy { $0.drops.unknownSession == 0 && $0.drops.forged == 0 })
        // The same init arrives on both paths, and each is forwarded.
        #expect(world.forwarded.count == 2 * (0..<10).count { $0 % shards != 0 })
        #expect(world.forwarded.allSatisfy { !$0.hasCookie })
    }

    @Test(arguments: [2, 3, 8]) func packetsReachTheirClientFromAnyShard(_ shards: Int) throws {
        let world = try world(6, shards: shards, seed: 2)
        world.run(for: .seconds(1))
        let traffic = Traffic(world)
        for client in 0..<6 {
            traffic.add(from: client, every: .milliseconds(5))
            for shard in 0..<shards {
                traffic.add(from: -1 - shard, client: client, id: UInt16(shard), every: .milliseconds(20))
            }
        }
        traffic.run(for: .seconds(2))
        world.run(for: .seconds(1))
        for client in 0..<6 {
            let flows = world.clients[client].flows.total
            #expect(flows.count == shards * 100 && flows.late == 0 && flows.duplicates == 0)
            #expect(world.clients[client].established(continuing: false) == 1)
        }
        #expect(world.servers.reduce(0) { $0 + $1.flows.total.count } == 6 * 400)
        #expect(world.strayed == 6 * (shards - 1) * 100)
        #expect(world.servers.allSatisfy { $0.buffers == 0 && $0.nonces.repeated == 0 })
    }

    @Test func newKeysAndNewSessionsStayAtTheirShard() throws {
        let world = try world(3, shards: 3, seed: 3)
        let traffic = Traffic(world)
        for client in 0..<3 {
            traffic.add(from: client, every: .milliseconds(100))
            traffic.add(from: -1, client: client, every: .milliseconds(100))
        }
        traffic.run(for: .seconds(130))
        #expect(world.clients.allSatisfy { $0.established(continuing: true) == 1 })
        #expect(world.servers.allSatisfy { $0.established(continuing: true) == 1 })
        world.restartClient(1)
        traffic.run(for: .seconds(2))
        #expect(world.servers[1].established(continuing: false) == 2)
        #expect(world.servers[0].established(continuing: false) == 1 && world.servers[0].closed == 0)
        let key = FlowLedger.Key(source: World.inner(1), destination: World.serverInner, flow: 1)
        #expect((world.servers[1].flows.records[key]?.count ?? 0) > 1300)
        for client in 0..<3 {
            let id = try #require(world.clients[client].session()).pointee.keys.current.pointee.remoteID
            #expect(Int(id >> 16 & 7) == client)
        }
    }

    /// A forwarded init is accepted by its shard once: another one drops it, and a second copy is a replay.
    @Test func aForwardedInitNeverGoesOn() throws {
        let world = try world(3, shards: 3, seed: 4)
        world.run(for: .seconds(1))
        let forward = try #require(world.forwarded.first { $0.shard == 1 })
        let before = (world.forwarded.count, world.servers[2].drops.handshake)
        world.forward(forward, to: 2)
        world.forward(forward, to: 0)
        #expect(world.forwarded.count == before.0)
        #expect(world.servers[2].drops.handshake == before.1 + 1)
        #expect(world.servers[2].engine.sessions.count == 1 && world.servers[0].engine.sessions.count == 1)
        // Much later, and to the right one: the existing session is unaffected.
        world.run(for: .seconds(6))
        let dropped = world.servers[1].drops.handshake
        world.forward(forward)
        #expect(world.servers[1].drops.handshake == dropped + 1)
        #expect(world.servers[1].engine.sessions.count == 1)
        world.run(for: .seconds(1))
        #expect(world.servers[1].established(continuing: false) == 1)
    }

    @Test func whatIsNoInitIsNotTakenAsAForwardedOne() throws {
        let world = try world(2, shards: 2, seed: 5)
        world.run(for: .seconds(1))
        let init_ = try #require(world.forwarded.first)
        let dropped = world.servers[1].drops.handshake
        for length in 0..<init_.datagram.count {
            let cut = ForwardedInit(
                shard: 1, datagram: Array(init_.datagram[..<length]), link: init_.link, hasCookie: true)
            world.forward(cut)
        }
        #expect(world.servers[1].drops.handshake == dropped + UInt64(init_.datagram.count))
        #expect(world.servers[1].engine.sessions.count == 1)
    }

    /// Peers come and go at all shards; those that stay keep session and shard.
    @Test func aReloadLeavesSessionsWhereTheyAre() throws {
        let world = try world(6, shards: 3, seed: 6)
        let traffic = Traffic(world)
        for client in 0..<6 {
            traffic.add(from: client, every: .milliseconds(10))
            traffic.add(from: -1, client: client, every: .milliseconds(10))
        }
        traffic.run(for: .seconds(1))
        let remaining = [5, 0, 4, 2, 1].map { world.peers[$0] }
        for server in world.servers { server.engine.replacePeers(remaining) }
        traffic.run(for: .seconds(1))
        #expect(world.servers[0].closed == 1 && world.servers[1].closed + world.servers[2].closed == 0)
        for server in world.servers { server.engine.replacePeers(world.peers) }
        traffic.run(for: .seconds(3))
        for client in 0..<6 {
            #expect(world.clients[client].established(continuing: false) == (client == 3 ? 2 : 1))
            #expect(world.owner(of: client).session(client) != nil)
        }
        #expect(world.servers.allSatisfy { $0.nonces.repeated == 0 })
    }

    /// A client whose clock went back proves itself with a cookie from the gatekeeper of another shard.
    @Test func aClockThatWasSetBackRecoversAtAnyShard() throws {
        let world = try world(2, shards: 2, seed: 7)
        world.run(for: .seconds(2))
        world.clients[1].wallOffset = -3600
        world.restartClient(1)
        let time = world.time(until: .seconds(30)) { world.clients[1].session() != nil }
        #expect(try #require(time) <= .seconds(13))
        #expect(world.forwarded.contains { $0.hasCookie })
    }

    @Test func underLoadTheFirstShardAsksForCookies() throws {
        let world = try World(
            clients: (0..<300).map { _ in ["inf/10"] }, seed: 8, pool: 64, attached: false, shards: 2)
        for client in 0..<300 { world.attach(client) }
        let time = world.time(until: .seconds(10)) { world.clients.allSatisfy { $0.session() != nil } }
        #expect(try #require(time) < .seconds(5))
        #expect(world.servers[0].drops.cookies >= 44 && world.servers[1].drops.cookies == 0)
    }

    /// The queue of forwarded inits is bounded: inits that find it full are sent again by their client.
    @Test func forwardsAreBounded() throws {
        let world = try world(100, shards: 2, seed: 9, attached: false)
        var inits: [(bytes: [UInt8], link: VirtualLink)] = []
        world.onWire = { towardsServer, link, bytes in
            if towardsServer { inits.append((bytes, link)) }
            return false
        }
        for client in 0..<100 { world.attach(client) }
        let wall = Timestamp(seconds: 1_700_000_000, nanoseconds: 0)
        for (bytes, link) in inits where link.client % 2 == 1 {
            let now = world.now
            bytes.withUnsafeBytes {
                world.server.engine.receive($0, from: world.serverSide(link), now: now)
            }
            // One for each turn, and inits waiting for other shards are not taken.
            _ = world.server.engine.service(into: &world.server.outbox, now: now, wall: wall)
            world.now = now + .microseconds(1)
        }
        #expect(world.server.engine.takeForwards().count == 64)
        #expect(world.server.drops.handshake >= 36)
        #expect(world.server.engine.takeForwards().isEmpty)
    }
}
