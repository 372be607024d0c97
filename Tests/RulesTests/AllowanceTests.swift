import LinkModel
import Packet
import Testing

@testable import Rules

@Suite struct AllowanceTests {
    @Test func theCapOnConnectionsIsExact() {
        var rule = Allowance(RateLimit(connections: 3), at: .zero)
        var owner: Allowance?
        let admit = { Allowance.admit(.tcp, rule: &rule, owner: &owner, at: .zero) }
        #expect((0..<5).map { _ in admit() } == [nil, nil, nil, .connections, .connections])
        #expect(rule.report.connections == 3 && rule.report.rejects == [2, 0, 0, 0, 0, 0])
        rule.release()
        #expect(Allowance.admit(.tcp, rule: &rule, owner: &owner, at: .zero) == nil)
        #expect(Allowance.admit(.tcp, rule: &rule, owner: &owner, at: .zero) == .connections)
        #expect(Allowance.admit(.udp, rule: &rule, owner: &owner, at: .zero) == .connections, "flows count")
        rule.set(RateLimit(connections: 1), at: .zero)
        #expect(rule.report.connections == 3, "who is in stays in")
        rule.release()
        rule.release()
        #expect(Allowance.admit(.tcp, rule: &rule, owner: &owner, at: .zero) == .connections)
        rule.set(RateLimit(), at: .zero)
        #expect(Allowance.admit(.tcp, rule: &rule, owner: &owner, at: .zero) == nil)
        for _ in 0..<5 { rule.release() }
        #expect(rule.report.connections == 0)
    }

    @Test func theOwnersLimitIsAskedFirst() {
        var rule = Allowance(RateLimit(connectionRate: 1, connections: 1), at: .zero)
        var owner: Allowance? = Allowance(RateLimit(connectionRate: 2, connections: 2), at: .zero)
        var other = Allowance(at: .zero)
        #expect(Allowance.admit(.tcp, rule: &rule, owner: &owner, at: .zero) == nil)
        #expect(Allowance.admit(.tcp, rule: &rule, owner: &owner, at: .zero) == .connections)
        #expect(Allowance.admit(.udp, rule: &rule, owner: &owner, at: .zero) == .connections)
        rule.release()
        #expect(Allowance.admit(.udp, rule: &rule, owner: &owner, at: .zero) == .flowRate)
        #expect(
            Allowance.admit(.tcp, rule: &other, owner: &owner, at: .zero) == nil, "refusals used nothing up")
        #expect(Allowance.admit(.tcp, rule: &rule, owner: &owner, at: .zero) == .ownerConnections)
        #expect(Allowance.admit(.udp, rule: &rule, owner: &owner, at: .zero) == .ownerConnections)
        owner?.release()
        owner?.release()
        #expect(Allowance.admit(.udp, rule: &rule, owner: &owner, at: .zero) == .ownerFlowRate)
        #expect(Allowance.admit(.tcp, rule: &other, owner: &owner, at: .zero) == .ownerConnectionRate)
        #expect(rule.report.rejects == [2, 0, 1, 0, 0, 0], "the owner's are the owner's alone")
        #expect(other.report.rejects == [0, 0, 0, 0, 0, 0])
        #expect(owner?.report.rejects == [0, 0, 0, 2, 1, 1])
    }

    @Test func connectionsComeNoFasterThanTheRate() {
        var rule = Allowance(RateLimit(connectionRate: 10, connectionBurst: 5), at: .zero)
        var owner: Allowance?
        var admitted = 0
        for millisecond in 0..<10_000 {
            let now = Instant.zero + .milliseconds(Int64(millisecond))
            if Allowance.admit(.udp, rule: &rule, owner: &owner, at: now) == nil { admitted += 1 }
        }
        #expect(admitted == 5 + 99)
        #expect(rule.report.rejects == [0, 0, UInt64(10_000 - admitted), 0, 0, 0])
    }

    @Test func bytesAreCountedEachWay() {
        var rule = Allowance(RateLimit(bytesIn: 1000, burstIn: 2000), at: .zero)
        #expect(rule.limits(.inward) && !rule.limits(.outward))
        #expect(rule.room(.inward, at: .zero) == 2000 && rule.room(.outward, at: .zero) == .max)
        rule.take(2500, .inward)
        rule.take(2500, .outward)
        #expect(rule.room(.inward, at: .zero) == 0)
        #expect(rule.ready(for: 500, .inward, at: .zero) == .zero + .seconds(1))
        #expect(rule.ready(for: 500, .outward, at: .zero) == .zero)
        rule.set(RateLimit(bytesIn: 2000, bytesOut: 10), at: .zero + .seconds(1))
        #expect(rule.room(.inward, at: .zero + .seconds(2)) == 2000, "a second's worth at most")
        #expect(rule.room(.outward, at: .zero + .seconds(2)) == 10)
        rule.set(RateLimit(), at: .zero + .seconds(2))
        #expect(rule.room(.inward, at: .zero + .seconds(2)) == .max)
        rule.countThrottled(.milliseconds(3), .inward)
        rule.countThrottled(.milliseconds(-3), .outward)
        #expect(rule.report.throttledIn == 3000 && rule.report.throttledOut == 0)
    }

    @Test func datagramsPassBothLimitsOrNeither() {
        var rule = Allowance(RateLimit(bytesOut: 1000), at: .zero)
        var owner: Allowance? = Allowance(RateLimit(bytesOut: 1500), at: .zero)
        let pass = { (now: Instant) in
            Allowance.passDatagram(600, .outward, rule: &rule, owner: &owner, at: now)
        }
        #expect(pass(.zero) && !pass(.zero))
        #expect(owner?.room(.outward, at: .zero) == 900)
        #expect(Allowance.passDatagram(600, .inward, rule: &rule, owner: &owner, at: .zero))
        // More than a second's worth has to wait for a full bucket, and is paid off later.
        var narrow = Allowance(RateLimit(bytesIn: 1000), at: .zero)
        var nobody: Allowance?
        #expect(Allowance.passDatagram(1400, .inward, rule: &narrow, owner: &nobody, at: .zero))
        #expect(
            !Allowance.passDatagram(1, .inward, rule: &narrow, owner: &nobody, at: .zero + .milliseconds(400))
        )
        #expect(
            Allowance.passDatagram(1, .inward, rule: &narrow, owner: &nobody, at: .zero + .milliseconds(401)))
        narrow.set(RateLimit(bytesIn: 0), at: .zero)
        #expect(!Allowance.passDatagram(1, .inward, rule: &narrow, owner: &nobody, at: .zero + .seconds(9)))
    }

    /// Compares with counting everything that is open.
    @Test(arguments: [UInt64(1), 2, 3])
    func capsHoldWhateverHappens(_ seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        var rules = (0..<3).map { Allowance(RateLimit(connections: UInt32($0 * 4)), at: .zero) }
        var owner: Allowance? = Allowance(RateLimit(connections: 7), at: .zero)
        var open = [0, 0, 0]
        for round in 0..<20_000 {
            let index = Int.random(in: 0..<3, using: &random)
            if Bool.random(using: &random) {
                let expected: RejectReason? =
                    open.reduce(0, +) >= 7 ? .ownerConnections : open[index] >= index * 4 ? .connections : nil
                let reason = Allowance.admit(.tcp, rule: &rules[index], owner: &owner, at: .zero)
                try #require(reason == expected, "seed \(seed), round \(round)")
                if reason == nil { open[index] += 1 }
            } else if open[index] > 0 {
                rules[index].release()
                owner?.release()
                open[index] -= 1
            }
        }
    }
}
