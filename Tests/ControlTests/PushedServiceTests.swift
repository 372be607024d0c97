import ControlProtocol
import Glibc
import Packet
import Portunus
import Rules
import Settings
import Testing

@testable import Control

/// Rules pushed by a control plane.
@Suite struct PushedServiceTests {
    let echo: Echo

    init() throws { echo = try Echo() }

    @Test func pushedRulesAreCarriedAndReplaced() throws {
        let bench = try ServiceBench()
        bench.plane.begin(with: ServiceBench.bundle)
        let (port, other) = (Wire.freePort(), Wire.freePort())
        #expect(bench.push(ServiceBench.pushed(7, port, to: echo)) == nil)
        #expect(Wire(port)?.exchange("hello") == "hello")
        #expect(eventually { bench.handed("portunus/7")?.accepts == true })
        // The same rule with a limit: connections continue. Another rule with its number replaces it.
        let wire = Wire(port)
        #expect(wire?.exchange("one") == "one")
        #expect(bench.push(ServiceBench.pushed(7, port, to: echo, limit: RateLimit(connections: 9))) == nil)
        #expect(eventually { bench.status("7")?.wayReason == "rate limit" })
        #expect(bench.push(ServiceBench.pushed(7, other, to: echo)) == nil)
        #expect(Wire(other)?.exchange("hello") == "hello" && Wire(port) == nil)
        #expect(wire?.exchange("two") == "two")
        #expect(bench.push(ServiceBench.pushed(7, port, to: echo)) == nil)
        #expect(Wire(port)?.exchange("hello") == "hello" && Wire(other) == nil)
        #expect(bench.push(ServiceBench.pushed(8, port, to: echo)) == .portInUse(nil))
        #expect(bench.status("8")?.state == "failed")
        #expect(bench.plane.report()?.rules.map(\.id) == [.pushed(7)])
        #expect(bench.plane.remove(7) && !bench.plane.remove(7))
        #expect(Wire(port) == nil)
        #expect(bench.push(ServiceBench.pushed(8, port, to: echo)) == nil)
        bench.plane.keep(only: [9])
        #expect(Wire(port) == nil && bench.plane.report() == nil)
    }

    /// bondd's ports stay reserved while bondd is away, and so does bondd-control's `[health]` port.
    @Test func ownPortsAreNobodyElses() throws {
        let bench = try ServiceBench()
        var rule = ServiceBench.pushed(1, 5000, to: echo)
        rule.transport = .udp
        #expect(bench.push(rule) == .portInUse(nil))
        rule.ports = 4990...5010
        #expect(bench.push(rule) == .portInUse(5000))
        #expect(bench.status("1")?.state == "failed")
        let configuration = try Configuration(
            text: Samples.text(extra: "[health]\nlisten = \"127.0.0.1:8098\"\n"), file: "bondd.toml",
            keys: .leave)
        guard case .server(let server) = configuration.role else { fatalError("no server") }
        let reserved = ReservedPorts(server, configuration.health)
        #expect(reserved.refusal(of: ServiceBench.pushed(1, 8098, to: echo)) == .portInUse(nil))
        #expect(reserved.refusal(of: ServiceBench.pushed(1, 5000, to: echo)) == nil)
    }

    /// Rules that a session has not named are replaced by those it pushes on the same port.
    @Test func staleRulesGiveWay() throws {
        let bench = try ServiceBench()
        bench.plane.begin(with: ServiceBench.bundle)
        let port = Wire.freePort()
        #expect(bench.push(ServiceBench.pushed(1, port, to: echo)) == nil)
        bench.plane.welcome(flowIdle: nil, maximumFlows: nil)
        #expect(bench.push(ServiceBench.pushed(2, port, to: echo)) == nil)
        #expect(bench.plane.carried() == [2])
        // Two rules of one session are the control plane's own mistake.
        #expect(bench.push(ServiceBench.pushed(3, port, to: echo)) == .portInUse(nil))
        #expect(bench.plane.carried() == [2] && Wire(port)?.exchange("hello") == "hello")
    }

    /// A session's silence about a quota counts only if the session replays quotas before rules.
    @Test func quotasAreLiftedByWordAlone() throws {
        let bench = try ServiceBench()
        bench.plane.begin(with: ServiceBench.bundle)
        let begin = Int64(currentTime()) - 1000
        func quota(_ remaining: Int64) -> Quota {
            Quota(
                monthlyBytes: 10_000, remaining: remaining, period: begin..<begin + 100_000,
                isExhausted: false)
        }
        func quotas() -> [String] { bench.plane.book.withLock { $0.quotas.keys.sorted() } }
        for owner in ["ann", "bob"] { bench.plane.setQuota(quota(5000), ofOwner: owner) }
        bench.plane.welcome(flowIdle: nil, maximumFlows: nil)
        #expect(bench.push(ServiceBench.pushed(1, Wire.freePort(), to: echo)) == nil)
        bench.plane.setQuota(quota(4000), ofOwner: "bob")
        bench.plane.keep(only: [1])
        #expect(quotas() == ["ann", "bob"])
        bench.plane.setQuota(nil, ofOwner: "bob")
        #expect(quotas() == ["ann"])
        bench.plane.setQuota(quota(5000), ofOwner: "bob")
        // This session replays them first. Its first values do not include the usage in between.
        bench.plane.welcome(flowIdle: nil, maximumFlows: nil)
        bench.plane.setQuota(quota(9000), ofOwner: "bob")
        #expect(bench.plane.book.withLock { $0.quotas["bob"]?.remaining } == 5000)
        bench.plane.setQuota(quota(9000), ofOwner: "bob")
        #expect(bench.plane.book.withLock { $0.quotas["bob"]?.remaining } == 9000)
        #expect(bench.push(ServiceBench.pushed(1, Wire.freePort(), to: echo)) == nil)
        bench.plane.keep(only: [1])
        #expect(quotas() == ["bob"])
    }

    @Test func onlyQuotasWhoseEndWasInTheSessionAreOverdue() {
        let quota = Quota(monthlyBytes: 1, remaining: 1, period: 0..<1000, isExhausted: false)
        #expect(SessionNames(began: 800).hears(endOf: quota))
        #expect(!SessionNames(began: 900).hears(endOf: quota))
    }

    /// A compromised control plane cannot fill this host's memory and disk.
    @Test func whatIsPushedIsBounded() throws {
        let bench = try ServiceBench()
        for number in 0..<1100 {
            bench.plane.setLimit(RateLimit(connections: 1), ofOwner: "owner-\(number)")
            bench.plane.setQuota(
                Quota(monthlyBytes: 1, remaining: 1, period: 0..<1, isExhausted: false),
                ofOwner: "owner-\(number)")
        }
        #expect(bench.plane.book.withLock { ($0.limits.count, $0.quotas.count) } == (1024, 1024))
        bench.plane.setLimit(nil, ofOwner: "owner-0")
        bench.plane.setLimit(RateLimit(connections: 1), ofOwner: "late")
        #expect(bench.plane.book.withLock { $0.limits["late"] } != nil)
    }

    @Test func portsOfTheFileAreTheFiles() throws {
        let port = Wire.freePort()
        let bench = try ServiceBench(ServiceBench.rule("web", port, to: echo))
        #expect(bench.push(ServiceBench.pushed(1, port, to: echo)) == .portInUse(nil))
        #expect(bench.status("web")?.state == "active")
    }

    @Test func targetsOutsideTheTunnelAreRefusedUnlessTheFileAllowsThem() throws {
        let bench = try ServiceBench()
        let port = Wire.freePort()
        var rule = ServiceBench.pushed(1, port, to: echo)
        rule.targets[0].host = "192.0.2.1"
        #expect(bench.push(rule) == .invalidTargetHost)
        // This server itself, by address and by name.
        rule.targets[0].host = "127.0.0.1"
        #expect(bench.push(rule) == .invalidTargetHost)
        rule.mayLeaveTunnel = true
        #expect(bench.push(rule) == .invalidTargetHost)
        rule.targets[0].host = "localhost"
        #expect(bench.push(rule) == .invalidTargetHost)
        #expect(Wire(port) == nil)
        // One target inside is enough.
        var several = rule
        several.id = .pushed(9)
        several.ports = ServiceBench.pushed(9, Wire.freePort(), to: echo).ports
        several.targets.append(RuleTarget(host: "127.0.0.2", port: echo.port))
        several.listsTargets = true
        #expect(bench.push(several) == nil && bench.plane.remove(9))
        rule.targets[0].host = "no-such-host.invalid"
        #expect(bench.push(rule) == nil)
        let (inside, open) = (Wire.freePort(), Wire.freePort())
        #expect(bench.push(ServiceBench.pushed(3, inside, to: echo)) == nil)
        let wire = Wire(inside)
        #expect(wire?.exchange("one") == "one")
        try bench.reload("[portunus]\nallow_outside = true\n")
        rule.targets[0].host = "127.0.0.1"
        rule.id = .pushed(2)
        rule.ports = open...open
        #expect(bench.push(rule) == nil)
        // It is no longer permitted.
        try bench.reload("")
        #expect(eventually { bench.status("2")?.state == "failed" })
        #expect(bench.status("3")?.state == "active" && wire?.exchange("two") == "two")
        #expect(bench.plane.book.withLock { $0.leaving.count } <= 1)
    }

    @Test func pushedRulesAreThereAfterAKill() throws {
        let bench = try ServiceBench()
        bench.plane.begin(with: ServiceBench.bundle)
        let (port, gone) = (Wire.freePort(), Wire.freePort())
        #expect(bench.push(ServiceBench.pushed(7, port, to: echo, owner: "ann")) == nil)
        #expect(bench.push(ServiceBench.pushed(8, gone, to: echo)) == nil)
        bench.plane.setLimit(RateLimit(connections: 3), ofOwner: "ann")
        #expect(bench.plane.remove(8))
        usleep(500_000)
        try bench.restart()
        #expect(Wire(port) == nil)
        bench.plane.begin(with: ServiceBench.bundle)
        #expect(Wire(port)?.exchange("hello") == "hello" && Wire(gone) == nil)
        #expect(eventually { bench.status("7")?.wayReason == "owner's rate limit" })
        // Its token and certificate may change, but another client's number means other rules.
        var other = ServiceBench.bundle
        other.token = "rotated"
        other.pin = String(repeating: "cd", count: 32)
        bench.plane.begin(with: other)
        #expect(bench.status("7")?.state == "active")
        other.clientID = "another"
        bench.plane.begin(with: other)
        #expect(Wire(port) == nil && bench.plane.report() == nil)
    }

    /// Rules that a session does not name again are removed after its replay.
    @Test func whatASessionDoesNotNameIsGone() throws {
        let bench = try ServiceBench()
        bench.plane.begin(with: ServiceBench.bundle)
        let ports = (0..<2).map { _ in Wire.freePort() }
        bench.plane.setLimit(RateLimit(connections: 3), ofOwner: "ann")
        bench.plane.setLimit(RateLimit(connections: 3), ofOwner: "bob")
        for number in 0..<2 {
            #expect(bench.push(ServiceBench.pushed(UInt64(number), ports[number], to: echo)) == nil)
        }
        let wires = ports.map { Wire($0) }
        for wire in wires { #expect(wire?.exchange("one") == "one") }
        bench.plane.stateChanged(.connecting("gone"))
        bench.plane.welcome(flowIdle: nil, maximumFlows: nil)
        bench.plane.setLimit(RateLimit(connections: 3), ofOwner: "bob")
        #expect(bench.push(ServiceBench.pushed(1, ports[1], to: echo)) == nil)
        bench.plane.keep(only: [1])
        #expect(wires[1]?.exchange("two") == "two" && Wire(ports[0]) == nil)
        #expect(bench.plane.book.withLock { $0.limits.keys.sorted() } == ["bob"])
    }

    @Test func quotasStopRulesAndSurvive() throws {
        let bench = try ServiceBench()
        bench.plane.begin(with: ServiceBench.bundle)
        let port = Wire.freePort()
        #expect(bench.push(ServiceBench.pushed(7, port, to: echo, owner: "ann")) == nil)
        #expect(eventually { bench.handed("portunus/7")?.accepts == true })
        bench.count("portunus/7", bytes: 100, open: 1)
        #expect(eventually { bench.status("7")?.connections == 1 })
        let begin = Int64(currentTime()) - 1000
        bench.plane.setQuota(
            Quota(
                monthlyBytes: 100_000, remaining: 20_000, period: begin..<begin + 100_000, isExhausted: false),
            ofOwner: "ann")
        // The kernel's connection continues, and is counted.
        #expect(eventually { bench.handed("portunus/7")?.accepts == false })
        bench.count("portunus/7", bytes: 5100, open: 1)
        #expect(eventually { bench.plane.book.withLock { $0.quotas["ann"]?.remaining ?? 0 } == 10_000 })
        #expect(Wire(port)?.exchange("hello") == "hello")
        bench.count("portunus/7", bytes: 50_000, open: 1)
        // It has ended, here and in bondd.
        #expect(eventually { bench.handed("portunus/7") == nil })
        #expect(eventually { Wire(port)?.exchange("hello") != "hello" })
        usleep(300_000)
        try bench.restart()
        bench.plane.begin(with: ServiceBench.bundle)
        #expect(Wire(port)?.exchange("hello") != "hello")
        #expect(bench.plane.book.withLock { $0.quotas["ann"]?.isExhausted } == true)
        // A new month.
        bench.plane.setQuota(
            Quota(
                monthlyBytes: 100_000, remaining: 100_000, period: begin..<begin + 100_000, isExhausted: false
            ),
            ofOwner: "ann")
        #expect(eventually { Wire(port)?.exchange("hello") == "hello" })
    }

    /// Each is answered within some milliseconds, and bondd gets only a few handovers.
    @Test func aThousandRulesAtOnce() throws {
        let bench = try ServiceBench()
        bench.plane.begin(with: ServiceBench.bundle)
        var ports: Set<UInt16> = []
        while ports.count < 500 { ports.insert(Wire.freePort()) }
        let begun = ContinuousClock.now
        var failed = 0
        for (number, port) in ports.enumerated()
        where bench.push(ServiceBench.pushed(UInt64(number), port, to: echo)) != nil { failed += 1 }
        #expect(.now - begun < .seconds(5))
        // A port may have been taken in the meantime.
        #expect(failed < 10)
        #expect(eventually { bench.bondd.with { $0.carried.last?.count } == ports.count - failed })
        #expect(bench.bondd.with { $0.carried.count } < 100)
    }

    @Test func planesAreToldApart() throws {
        let bench = try ServiceBench()
        #expect(bench.plane.status().1 == PlaneStatus())
        bench.plane.begin(with: ServiceBench.bundle)
        #expect(bench.plane.status().1 == PlaneStatus(state: "connecting", endpoint: "192.0.2.1:7443"))
        bench.plane.stateChanged(.connected)
        #expect(bench.plane.status().1.state == "connected" && bench.plane.notices.isEmpty)
        bench.plane.stateChanged(.unauthorized("token_revoked"))
        let status = bench.plane.status().1
        #expect(status.state == "unauthorized" && status.problem?.contains("token_revoked") == true)
        #expect(status.problem?.contains("bondd portunus enroll") == true)
        #expect(bench.plane.notices == [status.problem])
        bench.plane.stateChanged(.wrongCertificate)
        #expect(bench.plane.status().1.state == "wrong_certificate" && bench.plane.notices.count == 1)
    }
}
