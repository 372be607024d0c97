import Packet
import Proto
import Scheduler
import Testing

@testable import Engine

/// A client that acknowledges datagrams it never received must not make the server send to an address without a
/// listener.
@Suite struct PresenceTests {
    /// Two paths of which the first carries bulk data to the client; the second is used for lies.
    private func busyWorld(seed: UInt64, first: String = "400/5") throws -> (World, Sightings) {
        let world = try World(clients: [[first, "20/5"]], mode: .auto, seed: seed)
        let sightings = Sightings(world, ofServer: true)
        world.run(for: .seconds(1))
        for _ in 0..<20 {
            _ = world.clients[0].engine.measure(1, towardsServer: false, now: world.now)
            world.run(for: .milliseconds(100))
        }
        return (world, sightings)
    }

    /// From here on the client's engine is silent, and lies arrive on the second path.
    private func lie(
        _ world: World, for length: Interval, _ ack: () -> Frame?, each: (Interval) -> Void = { _ in }
    ) {
        let insider = Insider(world)
        let start = world.now
        world.clients[0].isAlive = false
        while world.now - start < length {
            var frames: [Frame] = [.bench(BenchFrame(pathID: 1, milliseconds: 500))]
            // A PONG for the server's PINGs, whose tokens are its clock.
            frames.append(.pong(world.now.microseconds - 5000))
            if let ack = ack() { frames.append(ack) }
            insider.send(.control, Insider.payload(frames), path: 2)
            world.run(for: .milliseconds(2))
            each(world.now - start)
        }
    }

    /// A peer that acknowledges all numbers up to the last is exposed by the first skipped one.
    @Test(arguments: Array(UInt64(1)...5)) func anOptimisticAckEndsTheSession(_ seed: UInt64) throws {
        let (world, sightings) = try busyWorld(seed: seed)
        let before = sightings.bytes[1] ?? 0
        sightings.lost = [1]
        lie(world, for: .seconds(1)) {
            guard let session = world.server.session(), let index = session.pointee.paths.find(1) else {
                return nil
            }
            let path = session.pointee.paths[index]
            return .ack(
                AckFrame(
                    pathID: 1, highest: path.pointee.sent.next - 1, map: (.max, .max, .max, .max),
                    packetsReceived: path.pointee.counters.sentPackets,
                    bytesReceived: path.pointee.counters.sentBytes,
                    receiveTime: world.now.microseconds, delay: 0))
        }
        #expect(world.server.drops.falseAcks == 1 && world.server.closed == 1)
        let sent = (sightings.bytes[1] ?? 0) - before
        #expect(sent < 2_000_000, "seed \(seed): \(sent) bytes")
    }

    /// A peer that knows, by some means, which datagrams were sent, and acknowledges exactly those from
    /// elsewhere, has no echo of the tokens sent to the silent address.
    @Test(arguments: ["400/5", "20/5"]) func aSilentAddressIsLeftAlone(_ first: String) throws {
        let (world, sightings) = try busyWorld(seed: 7, first: first)
        let before = sightings.bytes[1] ?? 0
        #expect(before > (first == "20/5" ? 4_000_000 : 40_000_000), "the path was not in use")
        var late = 0
        sightings.lost = [1]
        lie(world, for: .seconds(20)) {
            world.server.session().flatMap { sightings.ack(1, $0, now: world.now) }
        } each: { time in
            if time <= .seconds(3) { late = sightings.bytes[1] ?? 0 }
        }
        #expect(world.server.drops.falseAcks == 0 && world.server.closed == 0)
        let sent = (sightings.bytes[1] ?? 0) - before
        let afterwards = (sightings.bytes[1] ?? 0) - late
        #expect(sent < 16_000_000, "\(sent) bytes in all")
        // Neither ACKs nor PONGs on the second path keep the first alive.
        let session = try #require(world.server.session())
        let states = (0..<2).map { session.pointee.paths[$0].pointee.liveness.isUp }
        #expect(!(states[session.pointee.paths.find(1) ?? 0]), "\(states)")
        #expect(afterwards * 8 / 17 < 1_000_000, "\(afterwards) bytes after 3 s")
    }

    /// Tokens are lost, too, and may take long: honest paths never wait for them. (A link's delay is one way.)
    @Test(arguments: ["40/20,loss=30%", "40/400", "40/400,loss=30%", "40/800,loss=30%", "1000/1", "300/150"])
    func honestPathsNeverStop(_ link: String) throws {
        let world = try World(clients: [[link]], mode: .auto, seed: 3, pool: 16384)
        world.run(for: .seconds(3))
        var closed = 0
        var stopped = 0
        var tokens = 0
        let length = link == "1000/1" ? 3 : 15
        for tick in 0..<length * 100 {
            if tick % 10 == 0 {
                _ = world.clients[0].engine.measure(nil, towardsServer: false, now: world.now)
            }
            world.run(for: .milliseconds(10))
            guard let session = world.server.session() else { continue }
            let path = session.pointee.paths[0]
            closed += path.pointee.presence.isClosed ? 1 : 0
            stopped += path.pointee.presence.hasCredit ? 0 : 1
            tokens += path.pointee.presence.unproven < 2_000_000 ? 1 : 0
        }
        #expect(closed == 0 && stopped == 0, "\(link): closed \(closed), out of credit \(stopped)")
        #expect(tokens > 0 && world.server.closed == 0)
        let sent = try #require(world.server.session()).pointee.paths[0].pointee.counters.sentBytes
        #expect(sent > (link.contains("loss") ? 1_000_000 : 10_000_000), "\(sent) bytes")
    }

    /// Skipped numbers do not count as lost, neither for the sender nor for the peer that measures the path.
    @Test func skippedNumbersAreNoLoss() throws {
        let (world, _) = try busyWorld(seed: 9)
        world.run(for: .seconds(1))
        let session = try #require(world.server.session())
        let path = session.pointee.paths[0]
        #expect(path.pointee.sent.skipped > 50 && path.pointee.counters.lost < 20)
        let report = try #require(
            world.clients[0].engine.reports(now: world.now).first?.paths.first { $0.id == 1 })
        let missing = Int(report.expected) - Int(report.counters.receivedPackets)
        #expect(abs(missing) < Int(path.pointee.sent.skipped) / 4 + 20, "\(missing) seem to be missing")
        #expect(world.clients[0].flows.total.late == 0)
    }

    /// However fast a session is, others get their turn after 256 KB.
    @Test func aFastSessionsTurnIsBounded() throws {
        let world = try World(clients: [["8000/1"], ["100/5"]], mode: .auto, seed: 4, pool: 16384)
        world.run(for: .seconds(1))
        var bytes = 0
        var most = 0
        world.onWire = { towardsServer, link, datagram in
            if !towardsServer && link.client == 0 { bytes += datagram.count }
            return true
        }
        world.onTurn = { node in
            guard node < 0 else { return }
            most = max(most, bytes)
            bytes = 0
        }
        let traffic = Traffic(world).add(from: -1, client: 1, every: .milliseconds(10))
        for _ in 0..<4 {
            _ = world.clients[0].engine.measure(nil, towardsServer: false, now: world.now)
            traffic.run(for: .milliseconds(50))
        }
        #expect(most > 100_000 && most < Session.turnBudget + 20_000, "\(most) bytes in a turn")
        world.run(for: .seconds(1))
        #expect(world.clients[1].flows.total.count == traffic.sent)
    }
}
