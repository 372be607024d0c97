import Lab
import LinkModel
import Packet
import Proto
import Testing

@testable import Engine

@Suite struct OutsiderTests {
    /// Random, truncated, altered, replayed and forged datagrams at both ends of a session that carries traffic.
    @Test func aFloodOfForgedDatagramsChangesNothing() throws {
        var random = SeededGenerator(seed: 11)
        let world = try World(clients: [["100/5", "50/10"]], seed: 11, pool: 4096, attached: false)
        var recorded: [(towardsServer: Bool, link: VirtualLink, bytes: [UInt8], time: Instant)] = []
        world.onWire = { towardsServer, link, bytes in
            // Both directions, every kind: a sample of everything ever sent.
            let isHandshake = bytes.count > 3 && bytes[3] & 15 < 4
            if recorded.count < 3000 || isHandshake {
                recorded.append((towardsServer, link, bytes, world.now))
            } else if Int.random(in: 0..<20, using: &random) == 0 {
                recorded[Int.random(in: 0..<recorded.count, using: &random)] = (
                    towardsServer, link, bytes, world.now
                )
            }
            return true
        }
        world.attach(0)
        world.run(for: .seconds(1))
        let traffic = Traffic(world).add(from: 0, every: .milliseconds(4)).add(
            from: -1, every: .milliseconds(4))
        traffic.run(for: .seconds(1))
        let links = [world.link(1), world.link(2)]
        let remotes = links.map(\.clientEndpoint)
        let count = TestSize.packets
        for round in 0..<count / 250 {
            traffic.run(for: .milliseconds(4))
            for _ in 0..<250 {
                let sample = recorded[Int.random(in: 0..<recorded.count, using: &random)]
                let towardsServer =
                    Int.random(in: 0..<10, using: &random) > 0 ? sample.towardsServer : !sample.towardsServer
                // An attacker faster than the original can pass for it: replays from elsewhere use datagrams
                // that have arrived.
                let isOld = world.now - sample.time > .milliseconds(200)
                let isElsewhere = Int.random(in: 0..<3, using: &random) == 0 && isOld
                let bytes = mutate(sample.bytes, &random)
                let stranger = Endpoint(
                    address: IPAddress(v4: UInt32(truncatingIfNeeded: random.next())), port: 9)
                let link =
                    towardsServer
                    ? isElsewhere
                        ? Link(socket: 0, remote: stranger)
                        : world.serverSide(isOld ? links[Int.random(in: 0...1, using: &random)] : sample.link)
                    : Link(
                        socket: UInt16.random(in: 0..<4, using: &random),
                        remote: isElsewhere ? stranger : World.serverEndpoint)
                world.inject(bytes, at: towardsServer ? -1 : 0, from: link)
            }
            for node in [world.server, world.clients[0]] {
                try #require(node.engine.sessions.count <= 2 && node.buffers < 500, "round \(round)")
                try #require(
                    node.session()?.pointee.paths.count == 2 && node.events.count < 100, "round \(round)")
            }
            let session = try #require(world.server.session())
            for i in 0..<2 {
                let path = session.pointee.paths[i]
                try #require(
                    path.pointee.link?.remote == remotes[Int(path.pointee.id) - 1],
                    "round \(round): a path moved")
            }
        }
        world.run(for: .seconds(1))
        for node in [world.server, world.clients[0]] {
            #expect(node.flows.total.count == traffic.sent / 2 && node.flows.total.duplicates == 0)
            #expect(node.established(continuing: false) == 1 && node.closed == 0 && node.buffers == 0)
        }
        let many = UInt64(count / 100)
        #expect(world.server.drops.forged > many && world.server.drops.replayed > many)
        #expect(world.server.drops.malformed > many && world.server.drops.unknownSession > many / 10)
    }

    private func mutate(_ bytes: [UInt8], _ random: inout SeededGenerator) -> [UInt8] {
        var bytes = bytes
        switch Int.random(in: 0..<10, using: &random) {
        case 0, 1: break
        case 2: bytes.removeLast(Int.random(in: 0...bytes.count, using: &random))
        case 3: bytes += (0..<Int.random(in: 1..<900, using: &random)).map { _ in 7 }
        case 4, 5:
            for _ in 0..<Int.random(in: 1..<4, using: &random) {
                let bit = Int.random(in: 0..<bytes.count * 8, using: &random)
                bytes[bit / 8] ^= 1 << UInt8(bit % 8)
            }
        case 6, 7:
            // In the header: kind, session, sequence, path or number.
            let at = Int.random(in: 3..<24, using: &random)
            bytes[at] = UInt8(truncatingIfNeeded: random.next())
        case 8:
            for i in 24..<bytes.count { bytes[i] = UInt8(truncatingIfNeeded: random.next()) }
        default:
            bytes = (0..<Int.random(in: 0..<300, using: &random)).map { _ in
                UInt8(truncatingIfNeeded: random.next())
            }
            if bytes.count > 4 && Bool.random(using: &random) {
                bytes.replaceSubrange(0..<4, with: [0x42, 0x4F, 1, UInt8.random(in: 0..<7, using: &random)])
            }
        }
        return bytes
    }

    /// A client's datagrams are replayed from elsewhere: at once, before the original, and much later.
    @Test func aReplayFromElsewhereMovesNoPath() throws {
        let world = try World(clients: [["100/20"]], seed: 12)
        world.run(for: .seconds(1))
        let thief = Link(socket: 0, remote: Endpoint(address: IPAddress(v4: 0xC633_6463), port: 666))
        var recorded: [[UInt8]] = []
        world.onWire = { towardsServer, _, bytes in
            if towardsServer { recorded.append(bytes) }
            return true
        }
        let traffic = Traffic(world).add(from: 0, every: .milliseconds(10)).add(
            from: -1, every: .milliseconds(10))
        let remote = world.link(1).clientEndpoint
        traffic.run(for: .milliseconds(300))
        var replayed = 0
        for _ in 0..<100 {
            traffic.run(for: .milliseconds(30))
            // 30 ms later the original has arrived: this is a replay, and must not even be opened.
            for bytes in recorded.suffix(20).prefix(10) {
                world.inject(bytes, at: -1, from: thief)
                replayed += 1
            }
            let path = try #require(world.server.session()).pointee.paths[0]
            try #require(path.pointee.link?.remote == remote && path.pointee.challenge?.link != thief)
        }
        #expect(world.server.drops.replayed > 300 && replayed >= 900)
        #expect(world.server.flows.total.duplicates == 0)
    }

    /// An attacker who can overtake the client's datagrams can make the server ask, and no more.
    @Test func anOvertakerIsAskedButNotBelieved() throws {
        let world = try World(clients: [["100/20"]], seed: 13)
        world.run(for: .seconds(1))
        let thief = Link(socket: 0, remote: Endpoint(address: IPAddress(v4: 0xC633_6463), port: 666))
        let remote = world.link(1).clientEndpoint
        var isStealing = false
        world.onWire = { towardsServer, _, bytes in
            guard towardsServer, !isStealing else { return true }
            isStealing = true
            world.inject(bytes, at: -1, from: thief)
            isStealing = false
            return true
        }
        let traffic = Traffic(world).add(from: 0, every: .milliseconds(10)).add(
            from: -1, every: .milliseconds(10))
        traffic.run(for: .seconds(5))
        let path = try #require(world.server.session()).pointee.paths[0]
        #expect(path.pointee.link?.remote == remote && path.pointee.challenge != nil)
        world.run(for: .seconds(1))
        #expect(world.server.flows.total.count == traffic.sent / 2)
        #expect(world.clients[0].flows.total.count == traffic.sent / 2)
    }
}
