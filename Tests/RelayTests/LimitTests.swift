import CLinux
import Glibc
import Packet
import Rules
import Runtime
import Testing

@testable import Relay

// Serialized: they measure speeds.
@Suite(.serialized) struct LimitTests {
    private static let mebibyte: UInt64 = 1 << 20

    /// Whether 1 MiB/s passes, within 5 %, in one of four times 3 s: a busy host may read the clock, or the
    /// byte count, too late in any one of them.
    private static func keepsToMebibyte(_ bytes: () -> UInt64) -> Bool {
        (0..<4).contains { _ in
            let (before, begin) = (bytes(), Clock.monotonic)
            sleep(3)
            let rate = Double(bytes() - before) / (Double(Clock.monotonic - begin) / 1e9)
            return abs(rate / Double(mebibyte) - 1) < 0.05
        }
    }

    /// A target that sends endlessly.
    private static func spring() -> Target {
        Target { wire in
            wire.setPatience(milliseconds: 0)
            let bytes = [UInt8](repeating: 1, count: 65_536)
            while wire.write(bytes) {}
        }
    }

    @Test func keepsARulesBandwidth() throws {
        let relay = try Relay.onLoopback()
        defer { relay.stop() }
        let target = Self.spring()
        let port = Wire.freePort()
        var rule = Rule.tcp(port, to: target.port)
        rule.limit = RateLimit(bytesOut: Self.mebibyte)
        try relay.add(rule)
        let wire = try #require(Wire.connected(port))
        _ = wire.read(exactly: 1 << 20)
        Thread.start { while wire.read()?.isEmpty == false {} }
        let sum = { relay.report().rules.reduce(0) { $0 + $1.traffic.bytesOut } }
        #expect(Self.keepsToMebibyte(sum))
        shutdown(wire.descriptor, Int32(SHUT_RDWR))
        let limit = try #require(relay.report(of: .named("web"))).limit
        #expect(limit.throttledOut > 500_000, "\(limit.throttledOut)")
        #expect(limit.throttledIn == 0)
    }

    /// A limit that is set, changed and lifted while a connection is open.
    @Test func limitsWhatIsEstablished() throws {
        let relay = try Relay.onLoopback()
        defer { relay.stop() }
        let target = Self.spring()
        let port = Wire.freePort()
        try relay.add(.tcp(port, to: target.port))
        let wire = try #require(Wire.connected(port))
        _ = wire.read(exactly: 10 << 20)
        relay.setLimit(RateLimit(bytesOut: Self.mebibyte), of: .named("web"))
        Thread.start { while wire.read()?.isEmpty == false {} }
        // Bytes in flight by then exceed the limit, and so does the burst.
        sleep(1)
        let sum = { relay.report().rules.reduce(0) { $0 + $1.traffic.bytesOut } }
        #expect(Self.keepsToMebibyte(sum))
        let after = sum()
        relay.setLimit(RateLimit(), of: .named("web"))
        #expect(Thread.wait { (relay.report(of: .named("web"))?.traffic.bytesOut ?? 0) > after + 50 << 20 })
        shutdown(wire.descriptor, Int32(SHUT_RDWR))
    }

    /// Two rules of one owner share the owner's limit.
    @Test func keepsAnOwnersBandwidth() throws {
        let relay = try Relay.onLoopback()
        defer { relay.stop() }
        let target = Self.spring()
        let ports = [Wire.freePort(), Wire.freePort()]
        for (port, name) in zip(ports, ["one", "two"]) {
            var rule = Rule.tcp(port, to: target.port, name: name)
            rule.owner = "somebody"
            try relay.add(rule)
        }
        relay.setLimit(RateLimit(bytesOut: Self.mebibyte), ofOwner: "somebody")
        let wires = try ports.map { try #require(Wire.connected($0)) }
        for wire in wires { Thread.start { while wire.read()?.isEmpty == false {} } }
        sleep(1)
        let sum = { relay.report().rules.reduce(0) { $0 + $1.traffic.bytesOut } }
        #expect(Self.keepsToMebibyte(sum))
        let owner = try #require(relay.report().owners.first)
        #expect(owner.limit.throttledOut > 1_000_000)
        #expect(relay.report().rules.allSatisfy { $0.traffic.bytesOut > 100_000 })
        for wire in wires { shutdown(wire.descriptor, Int32(SHUT_RDWR)) }
    }

    @Test func keepsCapsOnConnections() throws {
        let relay = try Relay.onLoopback()
        defer { relay.stop() }
        let target = Target()
        let port = Wire.freePort()
        var rule = Rule.tcp(port, to: target.port)
        rule.owner = "somebody"
        rule.limit = RateLimit(connections: 4)
        try relay.add(rule)
        relay.setLimit(RateLimit(connections: 3), ofOwner: "somebody")
        _ = relay.report()
        var open: [Wire] = []
        for index in 0..<6 {
            let wire = try #require(Wire.connected(port))
            wire.write([1])
            let isServed = wire.read() == [1]
            #expect(isServed == (index < 3))
            if isServed { open.append(wire) } else { #expect(errno == ECONNRESET) }
        }
        relay.setLimit(nil, ofOwner: "somebody")
        // Limits are asynchronous, reports are not.
        _ = relay.report()
        let fourth = try #require(Wire.connected(port))
        fourth.write([1])
        #expect(fourth.read() == [1])
        #expect(try #require(Wire.connected(port)).read() == nil)
        let rejects = try #require(relay.report(of: .named("web"))).limit.rejects
        #expect(rejects == [1, 0, 0, 0, 0, 0])
        let owner = try #require(
            relay.report().owners.first { $0.owner == "somebody" } ?? OwnerReport(owner: ""))
        #expect(owner.limit.rejects.allSatisfy { $0 == 0 } || owner.limit.rejects[3] == 3)
        // A connection that ends makes room.
        open.removeLast()
        #expect(
            Thread.wait {
                let wire = Wire.connected(port)
                wire?.write([1])
                return wire?.read() == [1]
            })
    }

    @Test func keepsTheRateOfNewConnections() throws {
        let relay = try Relay.onLoopback()
        defer { relay.stop() }
        let target = Target { $0.write([1]) }
        let port = Wire.freePort()
        var rule = Rule.tcp(port, to: target.port)
        rule.limit = RateLimit(connectionRate: 10, connectionBurst: 5)
        try relay.add(rule)
        let begin = Clock.monotonic
        var served = 0
        while Clock.monotonic - begin < 2_000_000_000 {
            if Wire.connected(port)?.read() == [1] { served += 1 }
            usleep(5000)
        }
        #expect((18...26).contains(served), "\(served)")
    }

    @Test func endsWhatHasNoQuotaLeft() throws {
        let relay = try Relay.onLoopback()
        defer { relay.stop() }
        let target = Self.spring()
        let port = Wire.freePort()
        var rule = Rule.tcp(port, to: target.port)
        rule.owner = "somebody"
        try relay.add(rule)
        let now = Int64(time(nil))
        let quota = Quota(
            monthlyBytes: 9 << 20, remaining: 5 << 20, period: now - 1000..<now + 1_000_000,
            isExhausted: false)
        relay.setQuota(quota, ofOwner: "somebody")
        let wire = try #require(Wire.connected(port))
        let begin = Clock.monotonic
        let (bytes, isEnd) = wire.readAll()
        #expect(bytes.count <= 5 << 20)
        #expect(bytes.count > 4 << 20)
        #expect(isEnd)
        #expect(Thread.wait(seconds: 1) { relay.report(of: .named("web"))?.traffic.connections == 0 })
        #expect(Clock.monotonic - begin < 2_000_000_000)
        let owner = try #require(relay.report().owners.first)
        #expect(owner.quota?.remaining == 0)
        #expect(owner.quota?.isExhausted == true)
        #expect(owner.bytes == 5 << 20)
        #expect(try #require(Wire.connected(port)).read() == nil)
        relay.setQuota(nil, ofOwner: "somebody")
        _ = relay.report()
        #expect(try #require(Wire.connected(port)).read(exactly: 10 << 20).count == 10 << 20)
    }

    /// Traffic in the kernel exhausts the quota: idle connections end within a second.
    @Test func countsWhatOthersCarried() throws {
        let relay = try Relay.onLoopback()
        defer { relay.stop() }
        let target = Target()
        let port = Wire.freePort()
        var rule = Rule.tcp(port, to: target.port)
        rule.owner = "somebody"
        try relay.add(rule)
        let quota = Quota(monthlyBytes: 1 << 30, remaining: 1 << 20, period: 0..<0, isExhausted: false)
        relay.setQuota(quota, ofOwner: "somebody")
        let wire = try #require(Wire.connected(port))
        wire.write([1])
        #expect(wire.read() == [1])
        relay.consume(1 << 20, ofOwner: "somebody")
        wire.setPatience(milliseconds: 1000)
        #expect(wire.read() == [])
    }

    /// A quota is exhausted in one month, and all of the next at once.
    @Test func endsWhatHasNoQuotaLeftInANewMonth() throws {
        let relay = try Relay.onLoopback()
        defer { relay.stop() }
        let target = Target()
        let port = Wire.freePort()
        var rule = Rule.tcp(port, to: target.port)
        rule.owner = "somebody"
        try relay.add(rule)
        let end = Int64(time(nil)) + 2
        let quota = Quota(monthlyBytes: 1 << 20, remaining: 1, period: end - 1000..<end, isExhausted: false)
        relay.setQuota(quota, ofOwner: "somebody")
        relay.consume(1, ofOwner: "somebody")
        #expect(relay.report().owners.first?.quota?.isExhausted == true)
        #expect(Thread.wait { Int64(time(nil)) >= end })
        let wire = try #require(Wire.connected(port))
        #expect(Thread.wait { relay.report(of: .named("web"))?.targets[0].accepted == 1 })
        relay.consume(1 << 20, ofOwner: "somebody")
        wire.setPatience(milliseconds: 1000)
        #expect(wire.read() == [])
    }
}
