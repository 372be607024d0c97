import Lab
import LinkModel
import Packet
import Proto
import Reorder
import Scheduler
import Testing

@testable import Engine

@Suite struct InsiderTests {
    /// Numbers at the edges of every field.
    private static let absurd: [UInt64] = [
        0, 1, 2, 255, 256, 65535, 65536, 1 << 31, 1 << 32, 1 << 47, 1 << 48 - 1, 1 << 53, 1 << 60,
        1 << 61 - 1,
        1 << 62 - 1, 1 << 62, 1 << 62 + 1, 1 << 63 - 1, 1 << 63, .max / 1000, .max / 1000 + 1, .max - 1, .max,
    ]

    private func number(_ random: inout SeededGenerator, near: UInt64) -> UInt64 {
        switch Int.random(in: 0..<4, using: &random) {
        case 0: random.next()
        case 1: near &+ UInt64(truncatingIfNeeded: Int.random(in: -300...300, using: &random))
        default: Self.absurd.randomElement(using: &random)!
        }
    }

    private func frame(
        _ random: inout SeededGenerator, now: Instant, sent: UInt64, _ sightings: Sightings
    ) -> Frame {
        let path = UInt16.random(in: 0..<22, using: &random)
        switch Int.random(in: 0..<15, using: &random) {
        case 0...2:
            // One that claims too much ends the session, and with it any further tests.
            let isBold = Int.random(in: 0..<500, using: &random) == 0
            func claim(_ near: UInt64) -> UInt64 {
                let number = number(&random, near: near)
                return isBold ? number : number % (near + 1)
            }
            let acknowledged = 1 + path % 2
            let highest = claim(max(sent, 1) - 1)
            let top = isBold ? highest : sightings.number(acknowledged, upTo: highest)
            let mask = (random.next(), random.next(), random.next(), random.next())
            return .ack(
                AckFrame(
                    pathID: acknowledged, highest: top,
                    map: isBold ? mask : sightings.map(acknowledged, below: top, mask),
                    packetsReceived: claim(sent), bytesReceived: claim(sent * 40),
                    receiveTime: isBold
                        ? number(&random, near: now.microseconds)
                        : number(&random, near: now.microseconds) % (1 << 50),
                    delay: UInt32(truncatingIfNeeded: number(&random, near: 5000))))
        case 3: return .ping(number(&random, near: now.microseconds))
        case 4: return .pong(number(&random, near: now.microseconds))
        case 5: return .pathChallenge(random.next())
        case 6: return .pathResponse(random.next())
        case 7:
            return .pathStatus(
                PathStatusFrame(
                    pathID: path, role: UInt8.random(in: 0..<6, using: &random),
                    down: Bool.random(using: &random),
                    capMbit: UInt16(truncatingIfNeeded: number(&random, near: 5))))
        case 8:
            return .mode(
                ModeFrame(
                    mode: .random(in: 0..<6, using: &random),
                    redundantPaths: .random(in: 0..<20, using: &random)))
        case 9: return .assignRequest
        case 10:
            return .bench(
                BenchFrame(pathID: path % 4, milliseconds: UInt16(truncatingIfNeeded: random.next())))
        case 11: return .benchCount(BenchCountFrame(time: random.next(), bytes: random.next()))
        case 12, 13:
            return .repair(
                RepairFrame(
                    first: number(&random, near: 100), count: UInt8.random(in: 0...255, using: &random),
                    seed: 1, symbolSize: Int.random(in: 1..<1800, using: &random)))
        default:
            return .assign
        }
    }

    /// The number of datagrams sent on the less used one of the first two paths.
    private func leastSent(_ node: Node) -> UInt64 {
        guard let session = node.session() else { return 0 }
        return [1, 2].map { id in
            session.pointee.paths.find(id).map { session.pointee.paths[$0].pointee.sent.next } ?? 0
        }
        .min() ?? 0
    }

    private func check(_ world: World, _ node: Node, _ seed: UInt64) throws {
        try #require(node.engine.sessions.count <= 2 * world.clients.count, "seed \(seed)")
        try #require(node.buffers <= node.engine.resources.pool.capacity)
        if let session = node.session() {
            try #require(session.pointee.paths.count <= 16 && session.pointee.delivery.held <= 8192)
            try #require(
                session.pointee.delivery.hold >= .milliseconds(5)
                    && session.pointee.delivery.hold <= ReorderBuffer.longestHold)
            for i in 0..<session.pointee.paths.count {
                let path = session.pointee.paths[i]
                try #require(path.pointee.rate.pacingRate(path.pointee.rtt).isFinite)
                try #require(path.pointee.rate.pacingRate(path.pointee.rtt) > 0)
            }
        }
    }

    /// Random frames with absurd fields to a server, or to a client, under traffic both ways.
    @Test(arguments: Array(UInt64(1)...8))
    func randomFramesNeitherTrapNorGrow(_ seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let world = try World(clients: [["100/5", "50/10"], ["100/5"]], seed: seed, pool: 2048)
        world.run(for: .seconds(1))
        let isClient = seed % 2 == 0
        let insider = Insider(world, isClient: isClient)
        let victim = isClient ? world.server : world.clients[0]
        let sightings = Sightings(world, ofServer: isClient)
        let traffic = Traffic(world).add(from: 0, every: .milliseconds(5)).add(
            from: -1, every: .milliseconds(5)
        )
        .add(from: 1, every: .milliseconds(20)).add(from: -1, client: 1, every: .milliseconds(20))
        for _ in 0..<60 {
            traffic.run(for: .milliseconds(50))
            for _ in 0..<20 {
                let frames = (0..<Int.random(in: 1..<8, using: &random)).map { _ in
                    frame(
                        &random, now: world.now,
                        sent: leastSent(victim), sightings)
                }
                insider.send(
                    .control, Insider.payload(frames), path: UInt16.random(in: 0..<20, using: &random),
                    sequence: number(&random, near: 100), flags: UInt8.random(in: 0..<16, using: &random))
            }
            try check(world, victim, seed)
        }
        #expect(victim.drops.unknownPath > 0)
        // The other client is unaffected.
        #expect(world.clients[1].closed == 0)
        let key = FlowLedger.Key(source: World.inner(1), destination: World.serverInner, flow: 1)
        #expect((world.server.flows.records[key]?.count ?? 0) >= 145, "seed \(seed)")
        #expect((world.clients[1].flows.total.count) >= 145, "seed \(seed)")
        #expect(victim.events.count < 10_000)
    }

    /// Inner packets with absurd sequences, distances, classes and contents.
    @Test(arguments: Array(UInt64(1)...8))
    func randomDataNeitherTrapsNorGrows(_ seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let world = try World(clients: [["100/5", "50/10"]], seed: seed, pool: 2048)
        world.run(for: .seconds(1))
        let isClient = seed % 2 == 0
        let insider = Insider(world, isClient: isClient)
        let victim = isClient ? world.server : world.clients[0]
        var top: UInt64 = 0
        for round in 0..<200 {
            world.run(for: .milliseconds(10))
            for _ in 0..<20 {
                // At first near each other, so that packets wait; then anywhere.
                let sequence =
                    round < 150
                    ? top &+ UInt64.random(in: 0..<60, using: &random) : number(&random, near: top)
                top = min(max(top, sequence &- 20), 1 << 61)
                var payload = [UInt8](repeating: 0, count: Int.random(in: 0..<2000, using: &random))
                for i in payload.indices { payload[i] = UInt8(truncatingIfNeeded: random.next()) }
                if payload.count > 24 && Bool.random(using: &random) {
                    payload.replaceSubrange(
                        4..<8,
                        with: [0x45, 0, UInt8((payload.count - 4) >> 8), UInt8((payload.count - 4) & 255)])
                    payload.replaceSubrange(16..<20, with: [10, 77, 0, 2])
                }
                insider.send(
                    .data, payload, path: UInt16.random(in: 1...2, using: &random), sequence: sequence)
            }
            try check(world, victim, seed)
        }
        world.run(for: .seconds(1))
        #expect(victim.buffers == 0 && victim.session()?.pointee.delivery.held ?? 0 == 0, "seed \(seed)")
    }

    @Test func controlFramesOfTheOtherSideAreIgnored() throws {
        let world = try World(clients: [["100/5"]], seed: 1)
        world.run(for: .seconds(1))
        Insider(world).send(.control, Insider.payload([.assign]))
        let events = world.server.events.contains { if case .assigned = $0 { true } else { false } }
        #expect(!events)
        Insider(world, isClient: false).send(
            .control,
            Insider.payload([
                .mode(ModeFrame(mode: 3, redundantPaths: 1)),
                .pathStatus(PathStatusFrame(pathID: 1, role: 3, down: true, capMbit: 1)),
                .assignRequest,
            ]))
        let session = try #require(world.clients[0].session())
        #expect(session.pointee.mode == .stripe && session.pointee.paths[0].pointee.role == .primary)
        #expect(!session.pointee.paths[0].pointee.isDownAtPeer && !session.pointee.owed.assignment)
    }

    /// A time far off must not reach the arithmetic of the hold (a difference of two such overflows).
    @Test func lyingClocksDoNotOverflow() throws {
        let world = try World(clients: [["100/5", "50/10"]], seed: 2)
        world.run(for: .seconds(1))
        for isClient in [true, false] {
            let insider = Insider(world, isClient: isClient)
            for time in Self.absurd + [
                world.now.microseconds &+ .max / 2000, world.now.microseconds &- .max / 2000,
            ] {
                for path in UInt16(1)...2 {
                    insider.send(.control, Insider.payload([.ping(time)]), path: path)
                }
            }
        }
        let session = try #require(world.server.session())
        #expect(session.pointee.delivery.hold <= ReorderBuffer.longestHold)
    }

    /// ACKs of a peer that claims more and more than it was sent, each a little later, as if there were a
    /// standing queue.
    @Test(arguments: [true, false]) func aPeerThatClaimsMoreThanWasSentIsLeft(_ isClient: Bool) throws {
        let world = try World(clients: [["100/5"]], seed: 6, pool: 2048)
        world.run(for: .seconds(1))
        let insider = Insider(world, isClient: isClient)
        let victim = isClient ? world.server : world.clients[0]
        let sightings = Sightings(world, ofServer: isClient)
        let traffic = Traffic(world).add(from: isClient ? -1 : 0, every: .milliseconds(1))
        var bytes: UInt64 = 0
        for round in UInt64(1)...60 {
            traffic.run(for: .milliseconds(5))
            guard victim.drops.falseAcks == 0, let session = victim.session() else { break }
            let path = session.pointee.paths[0]
            bytes = round < 10 ? path.pointee.counters.sentBytes : bytes + 1 << 57
            let ack = AckFrame(
                pathID: 1, highest: sightings.highest[1] ?? 0,
                map: sightings.map(1, below: sightings.highest[1] ?? 0),
                packetsReceived: path.pointee.counters.sentPackets, bytesReceived: bytes,
                receiveTime: world.now.microseconds + round * 6000, delay: 0)
            insider.send(.control, Insider.payload([.ack(ack)]))
        }
        #expect(victim.drops.falseAcks == 1 && victim.closed == 1)
    }

    /// Times as far off as possible, with everything else in order: nothing overflows.
    @Test func lyingReceiptTimesDoNotTrap() throws {
        let world = try World(clients: [["100/5"]], seed: 7, pool: 2048)
        world.run(for: .seconds(1))
        let insider = Insider(world)
        let sightings = Sightings(world, ofServer: true)
        let traffic = Traffic(world).add(from: -1, every: .milliseconds(1))
        let latest: UInt64 = 1 << 50 - 1
        for round in UInt64(0)..<300 {
            traffic.run(for: .milliseconds(5))
            guard let session = world.server.session() else { break }
            let path = session.pointee.paths[0]
            let ack = AckFrame(
                pathID: 1, highest: sightings.highest[1] ?? 0,
                map: sightings.map(1, below: sightings.highest[1] ?? 0),
                packetsReceived: path.pointee.counters.sentPackets,
                bytesReceived: path.pointee.counters.sentBytes,
                receiveTime: round < 100 ? round : latest - 300 + round, delay: .max)
            insider.send(.control, Insider.payload([.ack(ack)]))
        }
        #expect(world.server.drops.falseAcks == 0 && world.server.session() != nil)
    }

    @Test func theLastPacketNumberIsNoEnd() throws {
        let world = try World(clients: [["100/5"]], seed: 3)
        world.run(for: .seconds(1))
        for number in [Wire.maximumPacketNumber - 1, Wire.maximumPacketNumber, 1 << 47] {
            Insider(world).send(.control, Insider.payload([.ping(1)]), number: number)
        }
        world.run(for: .seconds(1))
        #expect(world.server.session() != nil)
    }

    @Test func aClientMakesNoMoreThanSixteenPaths() throws {
        let world = try World(clients: [["100/5"]], seed: 4)
        world.run(for: .seconds(1))
        let insider = Insider(world)
        for path in UInt16(1)...200 { insider.send(.control, Insider.payload([.ping(1)]), path: path) }
        #expect(try #require(world.server.session()).pointee.paths.count == 16)
        #expect(world.server.drops.unknownPath == 184)
    }
}
