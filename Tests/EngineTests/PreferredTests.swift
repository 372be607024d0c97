import Packet
import Proto
import Scheduler
import Testing

@testable import Engine

/// Mode `preferred`: which path is first, for how long, and what happens when it is full or gone.
@Suite struct PreferredTests {
    /// The client's preferred paths in order, while `traffic` ran for `length`.
    private func choices(_ world: World, _ traffic: Traffic, for length: Interval) throws -> [Int] {
        let session = try #require(world.clients[0].session())
        var choices: [Int] = []
        traffic.run(for: length) { _ in
            if let path = session.pointee.preference.path, path != choices.last { choices.append(path) }
        }
        return choices
    }

    private func world(_ links: [String], seed: UInt64, every interval: Interval = .milliseconds(5)) throws
        -> (World, Traffic)
    {
        let world = try World(clients: [links], mode: .preferred, seed: seed)
        world.run(for: .seconds(1))
        let traffic = Traffic(world).add(from: 0, every: interval)
        traffic.run(for: .seconds(4))
        return (world, traffic)
    }

    /// Two similar paths, with round trips that differ by up to 10 % from one packet to the next.
    @Test(arguments: Array(UInt64(1)...4))
    func noiseIsNoReasonToChange(_ seed: UInt64) throws {
        let (world, traffic) = try world(["50/20,jitter=2", "50/20,jitter=2"], seed: seed)
        let choices = try choices(world, traffic, for: .seconds(40))
        #expect(choices.count == 1, "seed \(seed): \(choices)")
    }

    /// The second path's round trip in ms.
    private func setSecond(_ world: World, _ ms: UInt64) {
        world.link(2).up.shape.delay = ms * 500_000
        world.link(2).down.shape.delay = ms * 500_000
    }

    @Test func aBetterPathIsTakenAfter3Seconds() throws {
        let (world, traffic) = try world(["50/20", "50/30"], seed: 1)
        setSecond(world, 10)
        let before = try choices(world, traffic, for: .milliseconds(2950))
        #expect(before == [0])
        let after = try choices(world, traffic, for: .milliseconds(2050))
        #expect(after == [0, 1])
        // And back, once it is not better any more.
        setSecond(world, 55)
        #expect(try choices(world, traffic, for: .milliseconds(2950)) == [1])
        #expect(try choices(world, traffic, for: .seconds(3)).last == 0)
    }

    @Test func aGoodMomentIsNoReasonToChange() throws {
        let (world, traffic) = try world(["50/20", "50/30"], seed: 2)
        for _ in 0..<4 {
            setSecond(world, 10)
            #expect(try choices(world, traffic, for: .seconds(2)) == [0])
            setSecond(world, 60)
            #expect(try choices(world, traffic, for: .seconds(2)) == [0])
        }
    }

    /// The queue caused by the current path's own traffic must not change the preference, nor must its being full.
    @Test(arguments: Array(UInt64(1)...3))
    func aFullPathStaysTheFirst(_ seed: UInt64) throws {
        let (world, traffic) = try world(["20/10", "20/20"], seed: seed, every: .microseconds(290))
        let choices = try choices(world, traffic, for: .seconds(20))
        #expect(choices == [0], "seed \(seed): \(choices)")
    }

    /// Loss counts, and a slow path is not preferred for its short round trip once it is known to be slow.
    @Test func lossAndRateCount() throws {
        let (lossy, some) = try world(["50/20,loss=5%", "50/22"], seed: 3)
        #expect(try choices(lossy, some, for: .seconds(12)).last == 1)
        let (slow, much) = try world(["2/10", "50/20"], seed: 4, every: .milliseconds(1))
        #expect(try choices(slow, much, for: .seconds(12)).last == 1)
    }

    /// 36 Mbit/s with all headers over links of 20 each.
    @Test func overflowGivesTheSum() throws {
        let (world, traffic) = try world(["20/10", "20/30"], seed: 5, every: .microseconds(290))
        let before = (world.server.flows.total, traffic.sent)
        traffic.run(for: .seconds(10))
        let carried =
            Double(world.server.flows.total.count - before.0.count) / Double(traffic.sent - before.1)
        #expect(carried > 0.97, "\(carried) of 36 Mbit/s")
        #expect(world.server.flows.total.duplicates == 0)
    }

    @Test func aPathThatDiesIsLeftAtOnce() throws {
        let (world, traffic) = try world(["50/10", "50/30"], seed: 6)
        let start = world.now
        world.link(1).isDown = true
        traffic.run(for: .seconds(2))
        let gap = world.server.delivered.longestGap(after: start, until: world.now)
        #expect(gap <= .milliseconds(200), "\(gap.milliseconds) ms")
    }
}
