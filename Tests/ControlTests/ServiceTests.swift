import ControlProtocol
import Glibc
import Rules
import Testing

@testable import Control

/// Rules of the file, carried by a real relay, with a fake bondd.
@Suite struct ServiceTests {
    let echo: Echo

    init() throws { echo = try Echo() }

    @Test func rulesOfTheFileAreCarriedAndHandedOver() throws {
        let (web, shop) = (Wire.freePort(), Wire.freePort())
        let bench = try ServiceBench(
            ServiceBench.rule("web", web, to: echo)
                + ServiceBench.rule("shop", shop, to: echo, "limit = { connections = 5 }"))
        for port in [web, shop] { #expect(Wire(port)?.exchange("hello") == "hello") }
        #expect(eventually { bench.handed("file/web")?.accepts == true })
        #expect(bench.handed("file/web")?.target == "127.0.0.2")
        #expect(eventually { bench.handed("file/shop") == nil })
        #expect(eventually { bench.status("web")?.way == "kernel" })
        #expect(bench.status("shop")?.way == "userspace" && bench.status("shop")?.wayReason == "rate limit")
        #expect(bench.status("web")?.state == "active" && bench.status("web")?.targets.count == 1)
        bench.count("file/web", bytes: 1000, open: 2)
        #expect(eventually { bench.status("web").map { $0.connections >= 2 && $0.bytesIn >= 1005 } == true })
        #expect(bench.plane.notices.isEmpty)
    }

    /// A service that bondd leaves out is carried here with the reason, and is not handed over again each second.
    @Test func aServiceThatBonddLeavesOutIsNotHandedOverForEver() throws {
        let (web, shop) = (Wire.freePort(), Wire.freePort())
        let bench = try ServiceBench()
        let name = "file/web@tcp:\(web)>127.0.0.2:\(echo.port)"
        bench.bondd.with { $0.leftOut = [name: "user 0 holds its port"] }
        try bench.reload(
            ServiceBench.rule("web", web, to: echo) + ServiceBench.rule("shop", shop, to: echo))
        #expect(eventually { bench.status("shop")?.way == "kernel" })
        #expect(bench.status("web")?.way == "userspace")
        #expect(bench.status("web")?.wayReason == "user 0 holds its port")
        #expect(bench.plane.notices.contains { $0.contains("user 0 holds its port") })
        let before = bench.bondd.with { $0.carried.count }
        usleep(1_000_000)
        #expect(bench.bondd.with { $0.carried.count } == before)
        #expect(Wire(web)?.exchange("hello") == "hello")
    }

    @Test func aReloadLeavesConnectionsOfUnchangedRulesAlone() throws {
        let ports = (0..<4).map { _ in Wire.freePort() }
        let other = try Echo()
        let bench = try ServiceBench(
            ServiceBench.rule("same", ports[0], to: echo) + ServiceBench.rule("limited", ports[1], to: echo)
                + ServiceBench.rule("changed", ports[2], to: echo)
                + ServiceBench.rule("gone", ports[3], to: echo)
        )
        let wires = try ports.map { try #require(Wire($0)) }
        for wire in wires { #expect(wire.exchange("one") == "one") }
        let new = Wire.freePort()
        try bench.reload(
            ServiceBench.rule("same", ports[0], to: echo)
                + ServiceBench.rule("limited", ports[1], to: echo, "limit = { connections = 1 }")
                + ServiceBench.rule("changed", ports[2], to: other) + ServiceBench.rule("new", new, to: echo))
        // All connections continue; those whose rules are gone are draining.
        for wire in wires { #expect(wire.exchange("two") == "two") }
        #expect(Wire(ports[3]) == nil && Wire(new)?.exchange("new") == "new")
        #expect(other.connections == 0 && Wire(ports[2])?.exchange("other") == "other")
        #expect(other.connections == 1)
        // The limit includes earlier connections.
        #expect(Wire(ports[1])?.exchange("more") != "more")
        #expect(bench.status("gone")?.state == "draining")
    }

    @Test func aRuleThatGainsALimitDrainsInTheKernel() throws {
        let port = Wire.freePort()
        let bench = try ServiceBench(ServiceBench.rule("web", port, to: echo))
        #expect(eventually { bench.handed("file/web")?.accepts == true })
        bench.count("file/web", bytes: 10, open: 1)
        #expect(eventually { bench.status("web")?.connections == 1 })
        try bench.reload(ServiceBench.rule("web", port, to: echo, "limit = { bytes_in = 1000000 }"))
        #expect(eventually { bench.handed("file/web")?.accepts == false })
        usleep(300_000)
        #expect(bench.handed("file/web")?.accepts == false)
        #expect(bench.status("web")?.way == "userspace")
        bench.count("file/web", bytes: 20, open: 0)
        #expect(eventually { bench.handed("file/web") == nil })
        // And back.
        try bench.reload(ServiceBench.rule("web", port, to: echo))
        #expect(eventually { bench.handed("file/web")?.accepts == true })
    }

    @Test func aPortInUseIsToldAndTriedAgain() throws {
        let port = Wire.freePort()
        let other = try Echo("0.0.0.0", port: port)
        let bench = try ServiceBench(ServiceBench.rule("web", port, to: echo))
        #expect(bench.status("web")?.state == "failed")
        #expect(bench.status("web")?.reason?.contains("port \(port) is another program's") == true)
        #expect(bench.plane.notices.count == 1)
        #expect(eventually { bench.bondd.with { $0.carried.last ?? [] }.isEmpty })
        other.stop()
        #expect(eventually { bench.status("web")?.state == "active" })
        #expect(bench.plane.notices.isEmpty && Wire(port)?.exchange("hello") == "hello")
    }

    @Test func bonddMayBeRestarted() throws {
        let bench = try ServiceBench(ServiceBench.rule("web", Wire.freePort(), to: echo))
        #expect(eventually { bench.handed("file/web") != nil })
        bench.count("file/web", bytes: 1000, open: 0)
        #expect(eventually { bench.status("web")?.bytesIn == 1000 })
        let before = bench.bondd.with { $0.carried.count }
        bench.bondd.with { $0.counters = ServiceCounters(run: "2") }
        #expect(eventually { bench.bondd.with { $0.carried.count } > before })
        bench.count("file/web", bytes: 10, open: 0)
        #expect(eventually { bench.status("web")?.bytesIn == 1010 })
    }

    /// A restart of bondd-control must not withdraw services from the kernel, even for a moment.
    @Test func aRestartTakesNothingFromTheKernel() throws {
        let (web, shop) = (Wire.freePort(), Wire.freePort())
        let rules = ServiceBench.rule("web", web, to: echo) + ServiceBench.rule("shop", shop, to: echo)
        let bench = try ServiceBench(rules)
        #expect(eventually { bench.handed("file/web") != nil && bench.handed("file/shop") != nil })
        let names = bench.bondd.with { $0.carried.last!.map(\.rule) }
        bench.plane.stop()
        bench.count("file/shop", bytes: 1, open: 1)
        bench.bondd.with { $0.carried = [] }
        // One got a limit in the meantime: its connections in the kernel stay.
        try bench.restart(
            ServiceBench.rule("web", web, to: echo)
                + ServiceBench.rule("shop", shop, to: echo, "limit = { connections = 5 }"))
        #expect(eventually { bench.bondd.with { !$0.carried.isEmpty } })
        usleep(300_000)
        bench.bondd.with { state in
            for carried in state.carried { #expect(carried.map(\.rule) == names) }
        }
        #expect(bench.handed("file/shop")?.accepts == false && bench.handed("file/web")?.accepts == true)
    }

    /// A rule removed while bondd-control was down is gone once it is back.
    @Test func bonddIsToldThatThereIsNothing() throws {
        let bench = try ServiceBench()
        #expect(eventually { bench.bondd.with { $0.carried == [[]] } })
        usleep(300_000)
        #expect(bench.bondd.with { $0.carried.count } == 1)
    }
}
