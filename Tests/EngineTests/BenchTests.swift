import Packet
import Proto
import Scheduler
import Testing

@testable import Engine

/// Test packets: where they go, that they stop, and that there are not too many of them.
@Suite struct BenchTests {
    private func world(_ paths: [String] = ["40/10", "20/10"]) throws -> World {
        let world = try World(clients: [paths], mode: .auto, seed: 3)
        world.run(for: .seconds(1))
        return world
    }

    /// Requests test packets for this long, like `bondd bench`.
    private func measure(_ world: World, _ path: UInt16?, up: Bool?, for length: Interval) {
        let end = world.now + length
        while world.now < end {
            _ = world.clients[0].engine.measure(path, towardsServer: up, now: world.now)
            world.run(for: .milliseconds(100))
        }
    }

    private func report(_ world: World) -> BenchReport? { world.clients[0].engine.benchReport }

    @Test func theyFillTheLinksBothWaysAndComeOutNowhere() throws {
        let world = try world()
        measure(world, nil, up: true, for: .seconds(2))
        let before = try #require(report(world)?.peer)
        measure(world, nil, up: true, for: .seconds(2))
        let after = try #require(report(world)?.peer)
        let up = Double(after.bytes - before.bytes) * 8 / Double(after.time - before.time)
        #expect((0.9...1.05).contains(up / 60), "\(up) Mbit/s")
        measure(world, nil, up: false, for: .seconds(2))
        let first = try #require(report(world)).received
        measure(world, nil, up: false, for: .seconds(2))
        let second = try #require(report(world)).received
        let down = Double(second - first) * 8 / 2e6
        #expect((0.9...1.05).contains(down / 60), "\(down) Mbit/s")
        #expect(world.clients[0].delivered.isEmpty && world.servers[0].delivered.isEmpty)
        world.run(for: .seconds(2))
        #expect(world.clients[0].buffers == 0 && world.servers[0].buffers == 0)
    }

    /// From 2.2 Gbit/s on, a queue of this duration is full of packets before it is full of bytes.
    @Test(.timeLimit(.minutes(5))) func aLinkOfSeveralGigabitsIsMeasured() throws {
        let world = try World(clients: [["4000/1"]], mode: .auto, seed: 3, pool: 16384)
        world.run(for: .seconds(1))
        measure(world, nil, up: true, for: .milliseconds(200))
        let capacity = try #require(world.clients[0].session()).pointee.sendQueue.measuredCapacity
        #expect(capacity > 280_000_000, "\(capacity) B/s: the rate that matters was not reached")
        world.run(for: .seconds(2))
        #expect(world.clients[0].buffers == 0 && world.servers[0].buffers == 0)
    }

    @Test func onePathAloneIsMeasuredAndTheOthersAreFree() throws {
        let world = try world()
        measure(world, 2, up: true, for: .seconds(1))
        var data: [UInt16: Int] = [:]
        world.onWire = { _, link, bytes in
            if bytes.count > 1000 { data[link.path, default: 0] += 1 }
            return true
        }
        measure(world, 2, up: true, for: .seconds(2))
        #expect(data[1] == nil && (data[2] ?? 0) > 3000, "\(data)")
        // A path that is down does not hold up the others.
        world.link(2).isDown = true
        measure(world, 2, up: true, for: .seconds(2))
        #expect((data[1] ?? 0) > 1000, "\(data)")
    }

    @Test func theServerStopsHalfASecondAfterTheLastRequest() throws {
        let world = try world()
        measure(world, nil, up: false, for: .seconds(1))
        world.run(for: .milliseconds(700))
        var bytes = 0
        world.onWire = { towardsServer, _, datagram in
            bytes += towardsServer ? 0 : datagram.count
            return true
        }
        world.run(for: .seconds(3))
        #expect(bytes < 5000)
    }

    @Test func theServersPatienceIsTwoMinutes() {
        var bench = Bench()
        var now = Instant(nanoseconds: 1_000_000_000)
        var sent = Interval.zero
        for _ in 0..<3000 {
            let before = max(bench.sendsUntil, now)
            bench.grant(BenchFrame(milliseconds: .max), now: now)
            sent = sent + (max(bench.sendsUntil, now) - before)
            now = now + .milliseconds(100)
        }
        // 120 s and a tenth of the 300 s that passed.
        #expect((.seconds(140)...(.seconds(152))).contains(sent), "\(sent)")
        #expect(bench.owesCount)
    }

    @Test func aServerDoesNotLetAnOldRequestConfineIt() {
        var bench = Bench()
        bench.grant(BenchFrame(pathID: 1, milliseconds: 0), now: Instant(nanoseconds: 5))
        #expect(bench.sendsUntil == .zero && bench.pathID == BenchFrame.everyPath)
    }
}
