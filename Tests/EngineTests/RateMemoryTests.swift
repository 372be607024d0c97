import Lab
import Packet
import Testing

@testable import Engine

/// A path's estimated capacity must follow its real one, and nothing else.
@Suite struct RateMemoryTests {
    /// Mbit/s of inner packets that arrive at the server while 1.1 × `offered` Mbit/s enter for `length`.
    private func goodput(_ world: World, _ traffic: Traffic, for length: Interval) -> Double {
        let before = world.server.delivered.count
        traffic.run(for: length)
        return Double(world.server.delivered.count - before) * 1400 * 8 / length.seconds / 1e6
    }

    private func busyWorld(_ link: String, megabits: Double) throws -> (World, Traffic) {
        let world = try World(clients: [[link]], seed: 1, pool: 16384)
        world.run(for: .seconds(1))
        let traffic = Traffic(world)
        traffic.add(
            from: 0, every: Interval(nanoseconds: Int64(1400 * 8 * 1e3 / (megabits * 1.1))), payload: 1372)
        traffic.run(for: .seconds(3))
        return (world, traffic)
    }

    /// An LTE link's delay jitters all the time, even without traffic.
    @Test(arguments: ["20/30,jitter=5", "20/30,jitter=15", "20/30,jitter=15,reorder"])
    func anIdlePathThatJittersKeepsItsRate(_ link: String) throws {
        let (world, traffic) = try busyWorld(link, megabits: 20)
        let before = goodput(world, traffic, for: .seconds(1))
        world.run(for: .seconds(20))
        traffic.run(for: .milliseconds(300))
        let after = goodput(world, traffic, for: .seconds(1))
        #expect(after > before * 0.8, "\(link): \(before), after 20 s of silence \(after) Mbit/s")
    }

    /// A new route is longer: the delay rises and stays, without any queue.
    @Test(arguments: [8, 15, 40])
    func aLongerRouteIsNoQueue(_ more: UInt64) throws {
        let (world, traffic) = try busyWorld("20/20", megabits: 20)
        let before = goodput(world, traffic, for: .seconds(1))
        world.link(1).up.shape.delay += more * 1_000_000
        world.link(1).down.shape.delay += more * 1_000_000
        var worst = Double.infinity
        for second in 0..<12 {
            let now = goodput(world, traffic, for: .seconds(1))
            if second > 2 { worst = min(worst, now) }
        }
        #expect(worst > before * 0.7, "+\(more) ms: \(before), then \(worst) Mbit/s")
    }

    /// The link's rate changes under traffic.
    @Test(arguments: [2.0, 5, 80, 200])
    func aNewRateIsFollowed(_ megabits: Double) throws {
        let (world, _) = try busyWorld("20/20", megabits: 20)
        world.link(1).up.shape.rate = UInt64(megabits * 1e6)
        let traffic = Traffic(world)
        traffic.add(
            from: 0, id: 2, every: Interval(nanoseconds: Int64(1400 * 8 * 1e3 / (megabits * 1.1))),
            payload: 1372)
        traffic.run(for: .seconds(8))
        let now = goodput(world, traffic, for: .seconds(2))
        #expect(now > megabits * 0.94 * 0.85, "\(now) of \(megabits) Mbit/s")
    }
}
