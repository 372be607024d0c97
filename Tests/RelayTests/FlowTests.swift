import CLinux
import Glibc
import Packet
import Rules
import Testing

@testable import Relay

@Suite struct FlowTests {
    /// A UDP echo server that adds the sender's port.
    private final class Echo: @unchecked Sendable {
        let wire = Wire.bound(0)!

        init() {
            let wire = wire
            wire.setPatience(milliseconds: 0)
            Thread.start {
                while true {
                    var bytes = [UInt8](repeating: 0, count: 65_536)
                    var address = sockaddr_in()
                    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
                    withUnsafeMutableBytes(of: &address) { room in
                        let source = room.baseAddress!.assumingMemoryBound(to: sockaddr.self)
                        let count = recvfrom(wire.descriptor, &bytes, bytes.count, 0, source, &length)
                        if count > 0 { sendto(wire.descriptor, bytes, count, 0, source, length) }
                    }
                }
            }
        }
    }

    @Test func echoes() throws {
        let relay = try Relay.onLoopback()
        defer { relay.stop() }
        let echo = Echo()
        let port = Wire.freePort(tcp: false)
        try relay.add(.udp(port, to: echo.wire.port))
        for v6 in [false, true] {
            let wire = try #require(Wire.connected(port, tcp: false, v6: v6))
            for size in [1, 1400, 60_000] {
                let bytes = Pattern.bytes(size, size)
                wire.write(bytes)
                #expect(wire.read() == bytes)
            }
        }
        let traffic = try #require(relay.report(of: .named("voice"))).traffic
        #expect(traffic.datagramsIn == 6)
        #expect(traffic.datagramsOut == 6)
        #expect(traffic.bytesIn == 2 * 61_401)
        #expect(traffic.bytesOut == 2 * 61_401)
        #expect(traffic.flows == 2)
    }

    /// A connected socket only receives from the address that it connected to.
    @Test func answersFromTheAddressThatWasCalled() throws {
        let relay = try Relay.onLoopback()
        defer { relay.stop() }
        let echo = Echo()
        let port = Wire.freePort(tcp: false)
        try relay.add(.udp(port, to: echo.wire.port))
        let wire = Wire(clinux_socket(4, 0))
        _ = Wire.withAddress(IPAddress("127.0.0.77")!, port) { connect(wire.descriptor, $0, $1) }
        wire.write([9])
        #expect(wire.read() == [9])
    }

    @Test func endsSilentFlows() throws {
        let relay = try Relay.onLoopback()
        defer { relay.stop() }
        let echo = Echo()
        let port = Wire.freePort(tcp: false)
        var rule = Rule.udp(port, to: echo.wire.port)
        rule.flowIdle = 1
        try relay.add(rule)
        let silent = try #require(Wire.connected(port, tcp: false))
        let busy = try #require(Wire.connected(port, tcp: false))
        silent.write([1])
        #expect(silent.read() == [1])
        for _ in 0..<15 {
            busy.write([2])
            #expect(busy.read() == [2])
            usleep(100_000)
        }
        #expect(relay.report(of: .named("voice"))?.traffic.flows == 1)
        silent.write([3])
        #expect(silent.read() == [3])
    }

    @Test func takesNoMoreFlowsThanItMay() throws {
        let relay = try Relay.onLoopback()
        defer { relay.stop() }
        let echo = Echo()
        let port = Wire.freePort(tcp: false)
        var rule = Rule.udp(port, to: echo.wire.port)
        rule.maximumFlows = 3
        try relay.add(rule)
        var wires: [Wire] = []
        for index in 0..<5 {
            let wire = try #require(Wire.connected(port, tcp: false))
            wire.setPatience(milliseconds: 300)
            wire.write([1])
            #expect((wire.read() == nil) == (index >= 3))
            wires.append(wire)
        }
        let report = try #require(relay.report(of: .named("voice")))
        #expect(report.droppedFlows == 2)
        #expect(report.traffic.flows == 3)
        // No flow was evicted.
        wires[0].write([2])
        #expect(wires[0].read() == [2])
    }

    @Test func endsFlowsToWhereNobodyIs() throws {
        let relay = try Relay.onLoopback()
        defer { relay.stop() }
        let port = Wire.freePort(tcp: false)
        try relay.add(.udp(port, to: Wire.freePort(tcp: false)))
        let wire = try #require(Wire.connected(port, tcp: false))
        wire.write([1])
        #expect(
            Thread.wait {
                let report = relay.report(of: .named("voice"))
                return report?.traffic.flows == 0 && report?.targets[0].consecutiveFailures == 1
            })
    }

    @Test func limitsNewFlows() throws {
        let relay = try Relay.onLoopback()
        defer { relay.stop() }
        let echo = Echo()
        let port = Wire.freePort(tcp: false)
        var rule = Rule.udp(port, to: echo.wire.port)
        rule.limit = RateLimit(connectionRate: 1, connectionBurst: 2)
        try relay.add(rule)
        var answered = 0
        for _ in 0..<4 {
            let wire = try #require(Wire.connected(port, tcp: false))
            wire.setPatience(milliseconds: 100)
            wire.write([1])
            if wire.read() == [1] { answered += 1 }
        }
        #expect(answered == 2)
        let report = try #require(relay.report(of: .named("voice"))).limit
        #expect(report.rejects[Int(RejectReason.flowRate.rawValue) - 1] == 2)
    }

    /// A limit on connections also applies to flows; a flow that has ended makes room.
    @Test func limitsFlowsAtOnce() throws {
        let relay = try Relay.onLoopback()
        defer { relay.stop() }
        let echo = Echo()
        let port = Wire.freePort(tcp: false)
        var rule = Rule.udp(port, to: echo.wire.port)
        rule.limit = RateLimit(connections: 2)
        rule.flowIdle = 1
        try relay.add(rule)
        func isAnswered(_ wire: Wire?) -> Bool {
            wire?.setPatience(milliseconds: 200)
            wire?.write([1])
            return wire?.read() == [1]
        }
        let wires = (0..<3).map { _ in Wire.connected(port, tcp: false) }
        #expect(wires.map(isAnswered) == [true, true, false])
        var report = try #require(relay.report(of: .named("voice")))
        #expect(report.limit.connections == 2 && report.limit.rejects == [1, 0, 0, 0, 0, 0])
        #expect(Thread.wait { isAnswered(Wire.connected(port, tcp: false)) })
        #expect(Thread.wait { relay.report(of: .named("voice"))?.traffic.flows == 0 })
        report = try #require(relay.report(of: .named("voice")))
        #expect(report.limit.connections == 0)
    }

    @Test func dropsWhatIsOverTheLimit() throws {
        let relay = try Relay.onLoopback()
        defer { relay.stop() }
        let echo = Echo()
        let port = Wire.freePort(tcp: false)
        var rule = Rule.udp(port, to: echo.wire.port)
        rule.limit = RateLimit(bytesIn: 10_000, burstIn: 10_000)
        try relay.add(rule)
        let wire = try #require(Wire.connected(port, tcp: false))
        for _ in 0..<50 { wire.write([UInt8](repeating: 1, count: 1000)) }
        #expect(Thread.wait { (relay.report(of: .named("voice"))?.traffic.datagramsIn ?? 0) >= 10 })
        usleep(50_000)
        let count = try #require(relay.report(of: .named("voice"))).traffic.datagramsIn
        #expect((10...12).contains(count))
    }

    /// Flows continue on a port that is removed until they end, even if another rule has it by then.
    @Test func drains() throws {
        let relay = try Relay.onLoopback()
        defer { relay.stop() }
        let (old, new) = (Echo(), Echo())
        let port = Wire.freePort(tcp: false)
        var rule = Rule.udp(port, to: old.wire.port)
        rule.flowIdle = 1
        try relay.add(rule)
        let early = try #require(Wire.connected(port, tcp: false))
        early.write([1])
        #expect(early.read() == [1])
        #expect(relay.remove(.named("voice")))
        early.write([2])
        #expect(early.read() == [2])
        try relay.add(.udp(port, to: new.wire.port, name: "next"))
        let late = try #require(Wire.connected(port, tcp: false))
        late.write([3])
        #expect(late.read() == [3])
        early.write([4])
        #expect(early.read() == [4])
        #expect(relay.report(of: .named("next"))?.traffic.flows == 1)
        #expect(Thread.wait { relay.report(of: .named("voice")) == nil })
        #expect(Wire.bound(0, port: port, address: "0.0.0.0") == nil)
        relay.remove(.named("next"), drain: 0)
        #expect(Wire.bound(0, port: port, address: "0.0.0.0") != nil)
    }
}
