import Packet
import Proto
import Testing

@testable import Engine

@Suite struct PeersTests {
    @Test func aClientThatIsTakenOutIsGoneAtOnceAndTheOthersStay() throws {
        let world = try World(clients: [["100/10"], ["100/10", "50/30"], ["100/20"]], seed: 1)
        world.run(for: .seconds(1))
        let traffic = Traffic(world)
        for client in 0..<3 {
            traffic.add(from: client, every: .milliseconds(10))
            traffic.add(from: -1, client: client, every: .milliseconds(10))
        }
        traffic.run(for: .seconds(1))
        world.server.engine.replacePeers([world.peers[2], world.peers[0]])
        #expect(world.server.engine.sessions.count == 2)
        world.run(for: .milliseconds(100))
        #expect(world.server.closed == 1)
        let before = world.clients[1].delivered.count
        traffic.run(for: .seconds(3))
        #expect(world.clients[1].delivered.count == before)
        for client in [0, 2] {
            #expect(
                world.clients[client].flows.total.count >= 395
                    && world.clients[client].established(continuing: false) == 1)
            let key = FlowLedger.Key(source: World.inner(client), destination: World.serverInner, flow: 1)
            #expect((world.server.flows.records[key]?.count ?? 0) >= 395)
        }
        // And back: the session is a new one.
        world.server.engine.replacePeers(world.peers)
        traffic.run(for: .seconds(4))
        #expect(world.clients[1].delivered.count > before + 50)
        #expect(world.clients[0].closed == 0 && world.clients[2].closed == 0)
        #expect(world.server.nonces.repeated == 0)
    }

    @Test func twoClientsTalkThroughTheServer() throws {
        let world = try World(clients: [["100/10"], ["50/20", "50/30"]], seed: 2)
        world.run(for: .seconds(1))
        world.server.onDelivery = { probe in
            if probe.destination != World.serverInner { world.send(probe, from: -1) }
        }
        let traffic = Traffic(world)
            .add(from: 0, every: .milliseconds(5), to: World.inner(1))
            .add(from: 1, every: .milliseconds(5), to: World.inner(0))
        traffic.run(for: .seconds(2))
        world.run(for: .seconds(1))
        for client in 0...1 {
            #expect(
                world.clients[client].flows.total.count == 400 && world.clients[client].flows.total.late == 0)
            #expect(
                world.clients[client].delivered.allSatisfy { $0.packet.source == World.inner(1 - client) })
        }
    }

    @Test func aClientSpeaksForItselfOnly() throws {
        let world = try World(clients: [["100/10"], ["100/10"]], seed: 3)
        world.run(for: .seconds(1))
        let foreign = [
            World.inner(1), World.inner6(1), World.serverInner, IPAddress(v4: 0x0808_0808), IPAddress(v4: 0),
            IPAddress(v6High: 0, low: 0), IPAddress(v6High: 0x2001_0DB8_0000_0000, low: 1),
        ]
        for source in foreign {
            let destination = source.family == .v4 ? World.serverInner : World.inner6(7)
            world.send(Probe(source, destination, number: 1), from: 0)
        }
        world.run(for: .seconds(1))
        #expect(world.server.delivered.isEmpty && world.server.drops.foreignSource == UInt64(foreign.count))
        world.send(Probe(World.inner(0), World.serverInner, number: 1), from: 0)
        world.send(Probe(World.inner6(0), World.inner6(7), number: 2), from: 0)
        world.run(for: .seconds(1))
        #expect(world.server.delivered.count == 2)
        #expect(world.server.buffers == 0 && world.clients[0].buffers == 0)
    }

    @Test func whatBelongsToNobodyIsDropped() throws {
        let world = try World(clients: [["100/10"]], seed: 4, attached: false)
        world.send(Probe(World.serverInner, IPAddress(v4: 0x0101_0101), number: 1), from: -1)
        #expect(world.server.drops.noRoute == 1)
        world.send(Probe(World.serverInner, World.inner(0), number: 1), from: -1)
        world.send(Probe(World.inner(0), World.serverInner, number: 1), from: 0)
        #expect(world.server.drops.noSession == 1 && world.clients[0].drops.noSession == 1)
        let slot = world.server.engine.reserve()
        world.server.engine.send(slot, length: 19, now: world.now)
        #expect(world.server.drops.notIP == 1)
        #expect(world.server.buffers == 0 && world.clients[0].buffers == 0)
    }

    /// Two clients at once: each session has its own sequences, and neither learns what the other sends.
    @Test func sessionsShareNoSequence() throws {
        let world = try World(clients: [["100/10"], ["100/10"]], seed: 5)
        world.run(for: .seconds(1))
        // Alternating, so that a shared counter would leave gaps in both.
        let traffic = Traffic(world).add(from: -1, client: 0, every: .milliseconds(2))
            .add(from: -1, client: 1, every: .milliseconds(2))
        var sequences: [Int: [UInt64]] = [:]
        world.onWire = { towardsServer, link, bytes in
            if let header = bytes.withUnsafeBytes({ Header(parsing: $0) }), !towardsServer,
                header.kind == .data
            {
                sequences[link.client, default: []].append(header.sequence)
            }
            return true
        }
        traffic.run(for: .seconds(1))
        for client in 0...1 { #expect(sequences[client] == Array(0..<UInt64(traffic.sent / 2))) }
    }

    /// The first inner packet has sequence 0, and neither handshake nor control datagrams take one.
    @Test func onlyInnerPacketsTakeSequences() throws {
        let world = try World(clients: [["100/10", "50/30"]], seed: 6)
        var data: [Bool: [UInt64]] = [:]
        var controls = 0
        world.onWire = { towardsServer, link, bytes in
            guard let header = bytes.withUnsafeBytes({ Header(parsing: $0) }) else { return true }
            if header.kind == .data { data[towardsServer, default: []].append(header.sequence) }
            if header.kind == .control { controls += 1 }
            return true
        }
        world.run(for: .seconds(10))
        #expect(controls > 50)
        Traffic(world).add(from: 0, every: .milliseconds(300)).add(from: -1, every: .milliseconds(300)).run(
            for: .seconds(6))
        for direction in [true, false] { #expect(data[direction]?.sorted() == Array(0..<20)) }
    }
}
