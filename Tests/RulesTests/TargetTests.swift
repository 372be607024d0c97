import LinkModel
import Packet
import Testing

@testable import Rules

private func at(_ seconds: Int64) -> Instant { .zero + .seconds(100 + seconds) }

@Suite struct TargetHealthTests {
    @Test func threeFailuresInThirtySecondsAreTooMany() {
        var health = TargetHealth()
        for time in [0, 16, 31] as [Int64] { health.fail(at: at(time)) }
        #expect(health.isHealthy && health.consecutiveFailures == 3)
        health.fail(at: at(46))
        #expect(!health.isHealthy && health.lastFailure == at(46) && health.lastSuccess == nil)
    }

    @Test func twoSuccessesInARowHeal() {
        var health = TargetHealth()
        for _ in 0..<3 { health.fail(at: at(0)) }
        health.succeed(at: at(1))
        #expect(!health.isHealthy && health.consecutiveFailures == 0)
        health.fail(at: at(2))
        health.succeed(at: at(3))
        #expect(!health.isHealthy)
        health.succeed(at: at(4))
        #expect(health.isHealthy && health.lastSuccess == at(4) && health.lastFailure == at(2))
        for _ in 0..<2 { health.fail(at: at(5)) }
        health.succeed(at: at(5))
        for _ in 0..<2 { health.fail(at: at(5)) }
        #expect(health.isHealthy, "a success between them")
    }

    /// Compares with the whole history.
    @Test(arguments: [UInt64(1), 2, 3])
    func isWhatHistorySays(_ seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        var health = TargetHealth()
        var history: [(up: Bool, time: Int64)] = []
        var (healthy, time): (Bool, Int64) = (true, 0)
        for round in 0..<10_000 {
            time += Int64.random(in: 0...25, using: &random)
            let up = Double.random(in: 0..<1, using: &random) < 0.4
            history.append((up, time))
            up ? health.succeed(at: at(time)) : health.fail(at: at(time))
            let last = history.suffix(3)
            if last.count == 3, last.allSatisfy({ !$0.up }), time - last.first!.time <= 30 { healthy = false }
            if !healthy, history.suffix(2).allSatisfy(\.up) { healthy = true }
            try #require(health.isHealthy == healthy, "seed \(seed), round \(round)")
        }
    }
}

@Suite struct TargetOrderTests {
    private func rule(_ priorities: [UInt32], interval: Int = 0, _ transport: TransportProtocol = .tcp)
        -> Rule
    {
        .web { rule in
            rule.transport = transport
            rule.probeInterval = interval
            rule.targets = priorities.enumerated().map {
                RuleTarget(host: "10.77.0.2", port: UInt16($0 + 1), priority: $1)
            }
        }
    }

    private func fail(_ index: Int, of order: inout TargetOrder, at now: Instant) {
        for _ in 0..<3 { order.fail(index, at: now) }
    }

    @Test func healthyOnesComeFirstEachByPriority() {
        var order = TargetOrder(rule([5, 0, 5, 1]), at: at(0))
        #expect(order.order == [1, 3, 0, 2] && !order.isFailover(1) && order.isFailover(0))
        fail(1, of: &order, at: at(0))
        fail(0, of: &order, at: at(0))
        #expect(order.order == [3, 2, 1, 0])
        for index in [1, 1] { order.succeed(index, at: at(1)) }
        #expect(order.order == [1, 3, 2, 0])
        for index in 0..<4 { fail(index, of: &order, at: at(2)) }
        #expect(order.order == [1, 3, 0, 2], "all the same again")
    }

    @Test func probesComeAtTheIntervalAndNotAllAtOnce() {
        var order = TargetOrder(rule([0, 0], interval: 10), at: at(0))
        #expect(order.nextProbe == at(5) && order.startProbes(at: at(4)) == [])
        #expect(order.startProbes(at: at(5)) == [0])
        #expect(order.startProbes(at: at(10)) == [1])
        #expect(order.nextProbe == .never, "both run")
        order.probed(0, isUp: false, at: at(10))
        order.probed(1, isUp: true, at: at(10))
        #expect(order.nextProbe == at(15) && order.startProbes(at: at(21)) == [0, 1])
        for index in 0...1 { order.probed(index, isUp: index == 1, at: at(22)) }
        #expect(order.startProbes(at: at(31)) == [0, 1])
        for index in 0...1 { order.probed(index, isUp: index == 1, at: at(32)) }
        #expect(order.order == [1, 0] && !order.health[0].isHealthy, "10, 22, 32")
    }

    @Test func intervalsAreASecondToAnHour() {
        #expect(TargetOrder(rule([0], interval: 1), at: at(0)).nextProbe == at(1))
        #expect(TargetOrder(rule([0], interval: 5000), at: at(0)).nextProbe == at(3600))
        #expect(TargetOrder(rule([0], interval: 0), at: at(0)).nextProbe == .never)
        #expect(TargetOrder(rule([0], interval: -1), at: at(0)).nextProbe == .never)
        #expect(TargetOrder(rule([0], interval: 1, .udp), at: at(0)).nextProbe == .never)
    }

    @Test func aFailedTargetIsLookedAtThoughNobodyProbes() {
        var order = TargetOrder(rule([0, 1]), at: at(0))
        fail(0, of: &order, at: at(0))
        #expect(order.order == [1, 0] && order.nextProbe == at(30) && order.startProbes(at: at(30)) == [0])
        order.probed(0, isUp: false, at: at(31))
        #expect(order.nextProbe == at(61) && order.startProbes(at: at(61)) == [0])
        order.probed(0, isUp: true, at: at(61))
        #expect(order.nextProbe == at(62) && order.startProbes(at: at(62)) == [0])
        order.probed(0, isUp: true, at: at(62))
        #expect(order.order == [0, 1] && order.nextProbe == .never)
        fail(0, of: &order, at: at(70))
        for _ in 0..<2 { order.succeed(0, at: at(71)) }
        #expect(order.startProbes(at: at(100)) == [] && order.nextProbe == .never, "healed before")
        var only = TargetOrder(rule([0]), at: at(0))
        fail(0, of: &only, at: at(0))
        #expect(only.nextProbe == .never, "there is no other")
    }

    @Test func aFailedUDPTargetGetsAnotherChance() {
        var order = TargetOrder(rule([0, 1], .udp), at: at(0))
        fail(0, of: &order, at: at(0))
        #expect(order.order == [1, 0] && order.startProbes(at: at(30)) == [])
        #expect(order.order == [0, 1] && order.nextProbe == .never)
        order.fail(0, at: at(35))
        #expect(order.order == [1, 0] && order.nextProbe == at(65), "one failure is enough then")
        _ = order.startProbes(at: at(65))
        order.fail(0, at: at(100))
        #expect(order.order == [0, 1], "but not much later")
    }
}
