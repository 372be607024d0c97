import Glibc
import Packet
import Rules
import Synchronization
import Testing
import Transport

@testable import Relay

@Suite struct TargetTests {
    @Test func failsOverInOrderOfPriority() throws {
        let relay = try Relay.onLoopback()
        defer { relay.stop() }
        let second = Target { $0.write([2]) }
        let third = Target { $0.write([3]) }
        let closed = Wire.freePort()
        let port = Wire.freePort()
        var rule = Rule.tcp(port, to: third.port, second.port, closed)
        rule.targets[0].priority = 9
        rule.targets[1].priority = 5
        try relay.add(rule)
        for _ in 0..<4 { #expect(Wire.connected(port)?.readAll().bytes == [2]) }
        var report = try #require(relay.report(of: .named("web")))
        #expect(report.failovers == 4)
        #expect(report.targets.map(\.accepted) == [0, 4, 0])
        #expect(report.targets.map(\.isHealthy) == [true, true, false])
        #expect(report.targets[2].lastFailure > 1_600_000_000_000)
        second.stop()
        #expect(Thread.wait { Wire.connected(port)?.readAll().bytes == [3] })
        report = try #require(relay.report(of: .named("web")))
        #expect(report.targets[0].accepted >= 1)
        withExtendedLifetime(third) {}
    }

    @Test func resetsWhenNoTargetAnswers() throws {
        let relay = try Relay.onLoopback()
        defer { relay.stop() }
        let port = Wire.freePort()
        try relay.add(.tcp(port, to: Wire.freePort()))
        let wire = try #require(Wire.connected(port))
        #expect(wire.read() == nil)
        #expect(errno == ECONNRESET)
        #expect(relay.report(of: .named("web"))?.targets[0].consecutiveFailures == 1)
        #expect(relay.report(of: .named("web"))?.traffic.connections == 0)
    }

    @Test(arguments: [ProxyVersion.v1, .v2], [false, true])
    func tellsWhoCalls(_ version: ProxyVersion, v6: Bool) throws {
        let relay = try Relay.onLoopback()
        defer { relay.stop() }
        let target = Target { wire in
            wire.write(wire.readAll().bytes)
        }
        let port = Wire.freePort()
        var rule = Rule.tcp(port, to: target.port)
        rule.targets[0].proxy = version
        try relay.add(rule)
        let wire = try #require(Wire.connected(port, v6: v6, from: v6 ? nil : "127.0.0.3"))
        let source = wire.port
        wire.write(Array("GET".utf8))
        wire.finish()
        let said = wire.readAll().bytes
        switch version {
        case .v1:
            let text = v6 ? "TCP6 ::1 ::1" : "TCP4 127.0.0.3 127.0.0.1"
            #expect(String(decoding: said, as: UTF8.self) == "PROXY \(text) \(source) \(port)\r\nGET")
        case .v2:
            let ports = [source, port].flatMap { [UInt8($0 >> 8), UInt8($0 & 255)] }
            let loopback = [UInt8](repeating: 0, count: 15) + [1]
            let addresses: [UInt8] = v6 ? loopback + loopback : [127, 0, 0, 3, 127, 0, 0, 1]
            let head: [UInt8] = [13, 10, 13, 10, 0, 13, 10, 81, 85, 73, 84, 10, 0x21, v6 ? 0x21 : 0x11, 0]
            #expect(said == head + [v6 ? 36 : 12] + addresses + ports + Array("GET".utf8))
        }
        // The header does not count as the caller's traffic.
        #expect(relay.report(of: .named("web"))?.traffic.bytesIn == 3)
    }

    @Test func probesSeeATargetFailAndHeal() throws {
        let relay = try Relay.onLoopback()
        defer { relay.stop() }
        let inner = Wire.freePort()
        var rule = Rule.tcp(Wire.freePort(), to: inner)
        rule.probeInterval = 1
        try relay.add(rule)
        let isHealthy = { relay.report(of: .named("web"))?.targets[0].isHealthy }
        #expect(Thread.wait(seconds: 6) { isHealthy() == false })
        let target = Target(port: inner)
        #expect(Thread.wait(seconds: 6) { isHealthy() == true })
        // Probes do not count as traffic.
        let report = try #require(relay.report(of: .named("web")))
        #expect(report.targets[0].accepted == 0)
        #expect(report.traffic == Traffic())
        withExtendedLifetime(target) {}
    }

    /// The header of a probe says so, and nothing is reset.
    @Test(arguments: [ProxyVersion.v1, .v2]) func probesSayThatTheyAre(_ version: ProxyVersion) throws {
        let relay = try Relay.onLoopback()
        defer { relay.stop() }
        let said = Mutex<[(bytes: [UInt8], isEnd: Bool)]>([])
        let target = Target { wire in
            let all = wire.readAll()
            said.withLock { $0.append(all) }
        }
        var rule = Rule.tcp(Wire.freePort(), to: target.port)
        rule.probeInterval = 1
        rule.targets[0].proxy = version
        try relay.add(rule)
        #expect(Thread.wait(seconds: 6) { !said.withLock { $0.isEmpty } })
        let first = try #require(said.withLock { $0.first })
        #expect(first.isEnd)
        let header: [UInt8] =
            version == .v1
            ? Array("PROXY UNKNOWN\r\n".utf8)
            : [13, 10, 13, 10, 0, 13, 10, 81, 85, 73, 84, 10, 0x20, 0, 0, 0]
        #expect(first.bytes == header)
        #expect(relay.report(of: .named("web"))?.targets[0].isHealthy == true)
    }

    /// Targets in the tunnel are dialled from this host's address there; without it they are not dialled, which
    /// says nothing about them.
    @Test func dialsByTheTunnelOrNotAtAll() throws {
        func relay(_ own: String) throws -> Relay {
            try Relay(
                reach: Reach(
                    networks: [(IPAddress("127.0.0.0")!, 8)], own: [IPAddress(own)!], interface: "no-such0"))
        }
        let present = try relay("127.0.0.9")
        defer { present.stop() }
        let target = Target { wire in
            let peer = SocketAddress.reading { getpeername(wire.descriptor, $0, $1) }
            wire.write(Array("\(peer!.address)".utf8))
        }
        let port = Wire.freePort()
        try present.add(.tcp(port, to: target.port))
        #expect(Wire.connected(port)?.readAll().bytes == Array("127.0.0.9".utf8))
        #expect(present.remove(.named("web"), drain: 0))

        let absent = try relay("192.0.2.9")
        defer { absent.stop() }
        let udp = Wire.freePort(tcp: false)
        var rule = Rule.tcp(port, to: target.port)
        rule.probeInterval = 1
        try absent.add(rule)
        try absent.add(.udp(udp, to: target.port))
        let before = target.count
        for _ in 0..<4 { #expect(try #require(Wire.connected(port)).read() == nil) }
        for _ in 0..<4 { Wire.connected(udp, tcp: false)?.write([1]) }
        usleep(1_500_000)
        for name in ["web", "voice"] {
            let report = try #require(absent.report(of: .named(name)))
            #expect(report.targets[0].consecutiveFailures == 0 && report.targets[0].isHealthy)
            #expect(report.traffic.flows == 0 && report.traffic.connections == 0)
        }
        #expect(target.count == before)
    }

    @Test func looksUpNames() throws {
        let server = NameServer([
            "web.test": .init(addresses: ["127.0.0.1"], alias: "www.web.test", lifetime: 5)
        ])
        let relay = try Relay.onLoopback(nameServers: [server.endpoint])
        defer { relay.stop() }
        let target = Target { $0.write([1]) }
        let port = Wire.freePort()
        var rule = Rule.tcp(port, to: target.port)
        rule.targets[0].host = "Web.test"
        try relay.add(rule)
        for _ in 0..<5 { #expect(Wire.connected(port)?.readAll().bytes == [1]) }
        // A and AAAA, once: the answer is valid for 5 s.
        #expect(server.questions == 2)
        #expect(relay.report(of: .named("web"))?.failedLookups == 0)
    }

    @Test func countsNamesThatMeanNothing() throws {
        let server = NameServer([:])
        let relay = try Relay.onLoopback(nameServers: [server.endpoint])
        defer { relay.stop() }
        let port = Wire.freePort()
        var rule = Rule.tcp(port, to: 9)
        rule.targets[0].host = "web.test"
        try relay.add(rule)
        for _ in 0..<3 { #expect(try #require(Wire.connected(port)).read() == nil) }
        // The failure is remembered for 3 s.
        #expect(relay.report(of: .named("web"))?.failedLookups == 3)
        #expect(server.questions == 2)
    }

    @Test func dialsNoNamesThatLeadOutside() throws {
        let server = NameServer(["web.test": .init(addresses: ["127.0.0.1"], alias: nil, lifetime: 60)])
        // Nothing is inside the tunnel.
        let relay = try Relay(reach: Reach(networks: [], own: []), nameServers: [server.endpoint])
        defer { relay.stop() }
        let target = Target { $0.write([1]) }
        let port = Wire.freePort()
        var rule = Rule.tcp(port, to: target.port)
        rule.targets[0].host = "web.test"
        try relay.add(rule)
        #expect(try #require(Wire.connected(port)).read() == nil)
        #expect(target.count == 0)
        relay.remove(.named("web"), drain: 0)
        rule.mayLeaveTunnel = true
        try relay.add(rule)
        #expect(try #require(Wire.connected(port)).readAll().bytes == [1])
    }

    /// A flow's first datagram waits for name resolution.
    @Test func looksUpNamesForFlows() throws {
        let server = NameServer(["voice.test": .init(addresses: ["127.0.0.1"], alias: nil, lifetime: 60)])
        let relay = try Relay.onLoopback(nameServers: [server.endpoint])
        defer { relay.stop() }
        let target = try #require(Wire.bound(0))
        let port = Wire.freePort(tcp: false)
        var rule = Rule.udp(port, to: target.port)
        rule.targets[0].host = "voice.test"
        try relay.add(rule)
        let wire = try #require(Wire.connected(port, tcp: false))
        wire.write([1, 2, 3])
        #expect(target.read() == [1, 2, 3])
        wire.write([4])
        #expect(target.read() == [4])
        #expect(relay.report(of: .named("voice"))?.traffic.datagramsIn == 2)
    }

    @Test func emptyDatagramsWaitForNames() throws {
        let server = NameServer(["voice.test": .init(addresses: ["127.0.0.1"], alias: nil, lifetime: 60)])
        let relay = try Relay.onLoopback(nameServers: [server.endpoint])
        defer { relay.stop() }
        let target = try #require(Wire.bound(0))
        let port = Wire.freePort(tcp: false)
        var rule = Rule.udp(port, to: target.port)
        rule.targets[0].host = "voice.test"
        try relay.add(rule)
        let wire = try #require(Wire.connected(port, tcp: false))
        #expect(send(wire.descriptor, nil, 0, 0) == 0)
        #expect(target.read() == [])
        #expect(relay.report(of: .named("voice"))?.traffic.datagramsIn == 1)
    }

    /// At most 1 MiB waits for names; flows whose datagram found no room start nevertheless.
    @Test func fewDatagramsWaitForNames() throws {
        let server = NameServer(
            ["voice.test": .init(addresses: ["127.0.0.1"], alias: nil, lifetime: 60)], isHeld: true)
        let relay = try Relay.onLoopback(nameServers: [server.endpoint])
        defer { relay.stop() }
        let target = try #require(Wire.bound(0))
        let port = Wire.freePort(tcp: false)
        var rule = Rule.udp(port, to: target.port)
        rule.targets[0].host = "voice.test"
        try relay.add(rule)
        let traffic = { relay.report(of: .named("voice"))?.traffic ?? Traffic() }
        var wires: [Wire] = []
        for index in 1...20 {
            let wire = try #require(Wire.connected(port, tcp: false))
            wire.write([UInt8](repeating: 1, count: 60_000))
            #expect(Thread.wait { traffic().flows == index })
            wires.append(wire)
        }
        #expect(traffic().datagramsIn == 0)
        server.release()
        #expect(Thread.wait { traffic().datagramsIn == 17 })
        wires[19].write([1])
        #expect(Thread.wait { traffic().datagramsIn == 18 })
        #expect(traffic().flows == 20)
    }

    @Test func probesTryAllAddresses() throws {
        let server = NameServer([
            "web.test": .init(addresses: ["127.0.0.2", "127.0.0.1"], alias: nil, lifetime: 60)
        ])
        let relay = try Relay.onLoopback(nameServers: [server.endpoint])
        defer { relay.stop() }
        // Only at 127.0.0.1.
        let target = Target()
        var rule = Rule.tcp(Wire.freePort(), to: target.port)
        rule.targets[0].host = "web.test"
        rule.probeInterval = 1
        try relay.add(rule)
        #expect(Thread.wait(seconds: 6) { target.count > 0 })
        #expect(Thread.wait { (relay.report(of: .named("web"))?.targets[0].lastSuccess ?? 0) > 0 })
        #expect(relay.report(of: .named("web"))?.targets[0].consecutiveFailures == 0)
    }
}
