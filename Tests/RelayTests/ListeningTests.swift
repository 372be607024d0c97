import CLinux
import Glibc
import Packet
import Rules
import Testing

@testable import Relay

@Suite struct ListeningTests {
    @Test func saysWhenAnotherProgramHasThePort() throws {
        let relay = try Relay.onLoopback()
        defer { relay.stop() }
        for tcp in [true, false] {
            let other = try #require(Wire.bound(tcp ? 1 : 0, address: "0.0.0.0"))
            if tcp { listen(other.descriptor, 1) }
            let rule: Rule = tcp ? .tcp(other.port, to: 9) : .udp(other.port, to: 9)
            #expect(throws: RuleRefusal.portInUse(nil)) { try relay.add(rule) }
        }
        #expect(relay.report().rules.isEmpty)
    }

    @Test func saysWhenAnotherProgramHasTheIPv6Port() throws {
        let relay = try Relay.onLoopback()
        defer { relay.stop() }
        let other = try #require(Wire.bound(v6: true, address: "::"))
        listen(other.descriptor, 1)
        #expect(throws: RuleRefusal.portInUse(nil)) { try relay.add(.tcp(other.port, to: 9)) }
        // The IPv4 socket was closed.
        #expect(Wire.bound(port: other.port, address: "0.0.0.0") != nil)
    }

    @Test func takesAllOfARangeOrNothing() throws {
        let relay = try Relay.onLoopback()
        defer { relay.stop() }
        let first = Wire.freePort(count: 4)
        let other = try #require(Wire.bound(port: first + 2, address: "0.0.0.0"))
        listen(other.descriptor, 1)
        var rule = Rule.tcp(first, to: 9)
        rule.ports = first...first + 3
        #expect(throws: RuleRefusal.portInUse(first + 2)) { try relay.add(rule) }
        for port in [first, first + 1, first + 3] { #expect(Wire.connected(port) == nil) }
        withExtendedLifetime(other) {}
    }

    /// Rules on one port with an address each; an address that this host lacks is reported as missing.
    @Test func listensOnOneAddress() throws {
        let relay = try Relay.onLoopback()
        defer { relay.stop() }
        let port = Wire.freePort()
        let other = try #require(Wire.bound(port: port, address: "127.0.0.4"))
        listen(other.descriptor, 1)
        let targets = (0..<2).map { number in Target { $0.write([UInt8(number)]) } }
        for (number, address) in ["127.0.0.1", "127.0.0.3"].enumerated() {
            var rule = Rule.tcp(port, to: targets[number].port, name: address)
            rule.listenAddress = IPAddress(address)!
            try relay.add(rule)
        }
        #expect(Wire.connected(port)?.readAll().bytes == [0])
        #expect(Wire.connected(port, address: "127.0.0.3")?.readAll().bytes == [1])
        #expect(Wire.connected(port, address: "127.0.0.5") == nil)
        var rule = Rule.tcp(port, to: 9, name: "taken")
        rule.listenAddress = IPAddress("127.0.0.4")!
        #expect(throws: RuleRefusal.portInUse(nil)) { try relay.add(rule) }
        rule.listenAddress = IPAddress("192.0.2.9")!
        #expect(throws: RuleRefusal.addressMissing(IPAddress("192.0.2.9")!)) { try relay.add(rule) }
        #expect(relay.remove(.named("127.0.0.3")) && Wire.connected(port, address: "127.0.0.3") == nil)
        withExtendedLifetime(targets) {}
    }

    @Test func mapsRangesByOffset() throws {
        let relay = try Relay.onLoopback()
        defer { relay.stop() }
        let first = Wire.freePort(count: 3)
        let inner = Wire.freePort(count: 3)
        let targets = (0..<3).map { offset in
            Target(port: inner + UInt16(offset)) { wire in wire.write([UInt8(offset)]) }
        }
        var rule = Rule.tcp(first, to: inner)
        rule.ports = first...first + 2
        try relay.add(rule)
        for offset in 0..<3 {
            #expect(Wire.connected(first + UInt16(offset))?.readAll().bytes == [UInt8(offset)])
        }
        let ports = try #require(relay.report(of: .named("web"))).ports
        #expect(ports.map(\.port) == [first, first + 1, first + 2])
        #expect(ports.map(\.traffic.bytesOut) == [1, 1, 1])
        // Ports of a range are not shared.
        #expect(throws: RuleRefusal.portInUse(nil)) { try relay.add(.tcp(first + 1, to: 9, name: "other")) }
        withExtendedLifetime(targets) {}
    }

    @Test func refusesTheSameRuleTwice() throws {
        let relay = try Relay.onLoopback()
        defer { relay.stop() }
        let port = Wire.freePort()
        try relay.add(.tcp(port, to: 9))
        #expect(throws: RuleRefusal.duplicateRuleID) { try relay.add(.tcp(Wire.freePort(), to: 9)) }
        #expect(throws: RuleRefusal.portInUse(nil)) { try relay.add(.tcp(port, to: 9, name: "other")) }
        // UDP's ports are separate.
        #expect(throws: Never.self) { try relay.add(.udp(port, to: 9)) }
    }

    @Test func refusesTargetsOutside() throws {
        let relay = try Relay.onLoopback()
        defer { relay.stop() }
        var rule = Rule.tcp(Wire.freePort(), to: 9)
        rule.targets[0].host = "192.0.2.1"
        #expect(throws: RuleRefusal.invalidTargetHost) { try relay.add(rule) }
        rule.mayLeaveTunnel = true
        #expect(throws: Never.self) { try relay.add(rule) }
    }

    @Test func drains() throws {
        let relay = try Relay.onLoopback()
        defer { relay.stop() }
        let target = Target()
        let port = Wire.freePort()
        try relay.add(.tcp(port, to: target.port))
        let early = try #require(Wire.connected(port))
        early.write([1])
        #expect(early.read(exactly: 1) == [1])
        #expect(relay.remove(.named("web"), drain: 1))
        #expect(!relay.remove(.named("web")))
        #expect(Wire.connected(port) == nil)
        early.write([2])
        #expect(early.read(exactly: 1) == [2])
        #expect(relay.report(of: .named("web"))?.traffic.connections == 1)
        // The port is free for another rule in the meantime.
        try relay.add(.tcp(port, to: target.port, name: "next"))
        #expect(Thread.wait(seconds: 3) { relay.report(of: .named("web")) == nil })
        #expect(early.read()?.isEmpty != false)
        let late = try #require(Wire.connected(port))
        late.write([3])
        #expect(late.read(exactly: 1) == [3])
    }

    @Test func answersWhenStopped() throws {
        let relay = try Relay.onLoopback()
        relay.stop()
        #expect(throws: RuleRefusal.outOfDescriptors) { try relay.add(.tcp(Wire.freePort(), to: 9)) }
        #expect(!relay.remove(.named("web")))
        #expect(relay.report().rules.isEmpty)
        relay.stop()
    }

    /// Rules and connections come and go, and leave no descriptor behind.
    @Test func leaksNoDescriptors() async {
        await #expect(processExitsWith: .success) {
            let target = Target()
            let before = Descriptors.count
            do {
                let relay = try Relay.onLoopback()
                for round in 0..<60 {
                    let port = Wire.freePort()
                    try relay.add(.tcp(port, to: target.port))
                    try relay.add(.udp(port, to: 9))
                    var wires: [Wire] = []
                    for _ in 0..<20 {
                        let wire = Wire.connected(port)!
                        wire.write([UInt8](repeating: 1, count: 5000))
                        let datagram = Wire.connected(port, tcp: false)!
                        datagram.write([1])
                        wires += [wire, datagram]
                    }
                    if round % 2 == 0 { wires = [] }
                    relay.remove(.named("web"), drain: 0)
                    relay.remove(.named("voice"), drain: 0)
                }
            }
            precondition(
                Thread.wait { Descriptors.count <= before },
                "\(before) descriptors before, \(Descriptors.count) after")
        }
    }

    /// Without descriptors, no rule is added; that is temporary.
    @Test func takesNoRulesWithoutDescriptors() async {
        await #expect(processExitsWith: .success) {
            let relay = try Relay.onLoopback()
            let port = Wire.freePort()
            Descriptors.limit(to: 1024)
            var fill: [Int32] = []
            while true {
                let one = dup(0)
                if one < 0 { break }
                fill.append(one)
            }
            var refusal: RuleRefusal?
            do throws(RuleRefusal) {
                try relay.add(.tcp(port, to: 9))
            } catch {
                refusal = error
            }
            precondition(refusal == .outOfDescriptors)
            for one in fill { close(one) }
            try relay.add(.tcp(port, to: 9))
            relay.stop()
        }
    }

    /// Without descriptors: callers are rejected, the thread does not spin, and it continues once there are
    /// some again.
    @Test func outlivesTheEndOfDescriptors() async {
        await #expect(processExitsWith: .success) {
            let target = Target()
            let port = Wire.freePort()
            let relay = try Relay.onLoopback()
            try relay.add(.tcp(port, to: target.port))
            let early = Wire.connected(port)!
            early.write([1])
            precondition(early.read(exactly: 1) == [1])
            // The caller's own socket exists before they run out.
            let late = Wire(clinux_socket(4, 1))
            Descriptors.limit(to: 1024)
            var fill: [Int32] = []
            while true {
                let one = dup(0)
                if one < 0 { break }
                fill.append(one)
            }
            _ = Wire.withAddress(IPAddress("127.0.0.1")!, port) { connect(late.descriptor, $0, $1) }
            precondition(late.read()?.isEmpty != false, "was served")
            early.write([2])
            precondition(early.read(exactly: 1) == [2])
            // In microseconds of this process's CPU time.
            let before = clock()
            usleep(500_000)
            precondition(clock() - before < 250_000, "it spins")
            for one in fill { close(one) }
            let last = Wire.connected(port)!
            last.write([3])
            precondition(last.read(exactly: 1) == [3])
            relay.stop()
        }
    }
}
