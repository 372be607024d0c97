import CLinux
import Glibc
import Packet
import Rules
import Runtime
import TestSupport
import Testing

@testable import Relay

@Suite struct NameTests {
    /// A port with a rule for a name, one for a wildcard, and optionally one for the rest. Each target sends
    /// its number, then an echo.
    private static func carry(_ relay: Relay, port: UInt16, withFallback: Bool) throws -> [Target] {
        let targets = (1...3).map { number in
            Target { wire in
                wire.write([UInt8(number)])
                while let bytes = wire.read(), !bytes.isEmpty { wire.write(bytes) }
            }
        }
        var exact = Rule.tcp(port, to: targets[0].port, name: "exact")
        exact.serverName = "www.example.org"
        var wildcard = Rule.tcp(port, to: targets[1].port, name: "wildcard")
        wildcard.serverName = "*.example.org"
        try relay.add(exact)
        try relay.add(wildcard)
        if withFallback { try relay.add(.tcp(port, to: targets[2].port, name: "fallback")) }
        return targets
    }

    @Test func leadsByServerName() throws {
        let relay = try Relay.onLoopback()
        defer { relay.stop() }
        let port = Wire.freePort()
        let targets = try Self.carry(relay, port: port, withFallback: true)
        let cases: [(String?, UInt8)] = [
            ("www.example.org", 1), ("WWW.Example.org", 1), ("mail.example.org", 2), ("a.b.example.org", 3),
            ("example.org", 3), ("other.net", 3), (nil, 3),
        ]
        for (name, number) in cases {
            let hello = Hello.bytes(name)
            let wire = try #require(Wire.connected(port))
            // In pieces, too.
            wire.write(Array(hello[..<20]))
            usleep(5000)
            wire.write(Array(hello[20...]))
            #expect(wire.read(exactly: 1) == [number], "\(name ?? "none")")
            #expect(wire.read(exactly: hello.count) == hello)
        }
        #expect(relay.report(of: .named("exact"))?.exactNames == 2)
        #expect(relay.report(of: .named("wildcard"))?.wildcardNames == 1)
        #expect(relay.report(of: .named("fallback"))?.fallbacks == 4)
        let listener = try #require(relay.report().listeners.first)
        #expect(listener.count == 7)
        #expect(listener.misses == 0)
        #expect(listener.buckets.last == 7)
        withExtendedLifetime(targets) {}
    }

    @Test func dropsNamesThatNoRuleIsFor() throws {
        let relay = try Relay.onLoopback()
        defer { relay.stop() }
        let port = Wire.freePort()
        let targets = try Self.carry(relay, port: port, withFallback: false)
        for said in [Hello.bytes("other.net"), Array("GET / HTTP/1.1\r\n\r\n".utf8)] {
            let wire = try #require(Wire.connected(port))
            wire.write(said)
            #expect(wire.read() == nil)
        }
        let listener = try #require(relay.report().listeners.first)
        #expect(listener.misses == 1, "what is no TLS has no name to miss")
        #expect(listener.parseFailures == 1)
        withExtendedLifetime(targets) {}
    }

    @Test func refusesTheSameNameTwice() throws {
        let relay = try Relay.onLoopback()
        defer { relay.stop() }
        let port = Wire.freePort()
        let targets = try Self.carry(relay, port: port, withFallback: true)
        var again = Rule.tcp(port, to: 9, name: "again")
        #expect(throws: RuleRefusal.portInUse(nil)) { try relay.add(again) }
        again.serverName = "WWW.example.org"
        #expect(throws: RuleRefusal.portInUse(nil)) { try relay.add(again) }
        // Without the other rules it is a port like any other.
        relay.remove(.named("exact"))
        relay.remove(.named("wildcard"))
        #expect(try #require(Wire.connected(port)).read(exactly: 1) == [3])
        withExtendedLifetime(targets) {}
    }

    /// A client that waits for the target to speak first gets to the rule without a name once no ClientHello
    /// can be expected any more.
    @Test func silentCallersFallBack() throws {
        let relay = try Relay.onLoopback()
        defer { relay.stop() }
        let port = Wire.freePort()
        let targets = try Self.carry(relay, port: port, withFallback: true)
        let wire = try #require(Wire.connected(port))
        #expect(wire.read(exactly: 1) == [3])
        withExtendedLifetime(targets) {}
    }

    /// 2,000 connections with slow ClientHellos delay no others, and the oldest of them are dropped.
    @Test func dawdlersDelayNobody() async {
        await #expect(processExitsWith: .success) {
            let relay = try Relay.onLoopback()
            let port = Wire.freePort()
            let targets = try NameTests.carry(relay, port: port, withFallback: false)
            var dawdlers: [Wire] = []
            for _ in 0..<2000 {
                let wire = Wire.connected(port)!
                wire.write([22, 3])
                dawdlers.append(wire)
            }
            let begin = Clock.monotonic
            var times: [UInt64] = []
            while Clock.monotonic - begin < 1_000_000_000 {
                for wire in dawdlers[1500..<1600] { wire.write([1]) }
                let start = Clock.monotonic
                let wire = Wire.connected(port)!
                wire.write(Hello.bytes("www.example.org"))
                precondition(wire.read(exactly: 1) == [1])
                times.append(Clock.monotonic - start)
            }
            // Not the worst, which may be due to a busy host.
            precondition(times.sorted()[times.count / 2] < 50_000_000, "\(times)")
            dawdlers[0].setPatience(milliseconds: 1)
            precondition(dawdlers[0].read() == nil && errno == ECONNRESET)
            withExtendedLifetime(targets) {}
            relay.stop()
        }
    }
}
