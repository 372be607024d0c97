import Packet
import Rules
import Testing

@testable import Portunus

/// The translation of a rule on the wire.
struct PushedRuleTests {
    private func read(_ change: (inout Portunus_V1_Rule) -> Void) -> Result<Rule, RuleRefusal> {
        var message = Portunus_V1_Rule.with {
            $0.ruleID = 9
            $0.listenPort = 8443
            $0.targetHost = "web.example"
            $0.targetPort = 443
            $0.protocol = .tcp
        }
        change(&message)
        return PushedRule(message).rule
    }

    private func target(_ host: String, _ port: UInt32, _ proxy: Portunus_V1_ProxyProtocolVersion? = nil)
        -> Portunus_V1_Target
    {
        .with {
            $0.host = host
            $0.port = port
            if let proxy { $0.proxyProtocol = proxy }
        }
    }

    /// All properties that a rule can have.
    @Test func everythingIsRead() {
        let limit = Portunus_V1_RateLimit.with {
            $0.bandwidthInBps = 1
            $0.bandwidthOutBps = 2
            $0.newConnectionsPerSec = 3
            $0.concurrentConnections = 4
            $0.bandwidthInBurst = 5
            $0.bandwidthOutBurst = 6
            $0.newConnectionsBurst = 7
        }
        let rule = read {
            $0.preferIpv6 = true
            $0.healthCheckIntervalSecs = 4_000_000_000
            $0.sniPattern = "*.example"
            $0.ownerID = "alice"
            $0.rateLimit = limit
            $0.targetPort = 0
            $0.targets = [
                target("a", 1), target("[::1]", 65535, .v2), target("c", 2, .unspecified),
                target("d", 3, .UNRECOGNIZED(9)),
            ]
            $0.targets[1].priority = .max
        }
        let expected = Rule(
            id: .pushed(9), transport: .tcp, ports: 8443...8443,
            targets: [
                RuleTarget(host: "a", port: 1),
                RuleTarget(host: "::1", port: 65535, priority: .max, proxy: .v2),
                RuleTarget(host: "c", port: 2), RuleTarget(host: "d", port: 3),
            ],
            listsTargets: true, prefersIPv6: true, probeInterval: 3600, serverName: "*.example",
            limit: RateLimit(
                bytesIn: 1, bytesOut: 2, connectionRate: 3, connections: 4, burstIn: 5, burstOut: 6,
                connectionBurst: 7),
            owner: "alice")
        #expect(rule == .success(expected))
    }

    /// The minimal rule; unknown protocols are TCP, and 0 means no limit.
    @Test(arguments: [
        (Portunus_V1_Protocol.tcp, TransportProtocol.tcp), (.udp, .udp), (.unspecified, .tcp),
        (.UNRECOGNIZED(17), .tcp),
    ])
    func leastIsRead(wire: Portunus_V1_Protocol, transport: TransportProtocol) {
        let rule = read {
            $0.protocol = wire
            $0.rateLimit = .with { $0.bandwidthInBps = 0 }
        }
        let expected = Rule(
            id: .pushed(9), transport: transport, ports: 8443...8443,
            targets: [RuleTarget(host: "web.example", port: 443)])
        #expect(rule == .success(expected))
    }

    /// Ranges of the same length; 0 as the end is not a range.
    @Test(arguments: [
        (8443, 0, 443, 0, true), (8443, 8443, 443, 443, true), (8443, 8443, 443, 0, true),
        (8443, 0, 443, 443, true),
        (1, 8192, 1000, 9191, true), (57344, 65535, 1, 8192, true), (1, 8193, 1, 8193, false),
        (8443, 8442, 443, 442, false),
        (8443, 8445, 443, 446, false), (8443, 8445, 443, 0, false), (8443, 0, 443, 444, false),
        (0, 0, 443, 0, false),
        (0, 10, 443, 453, false), (65536, 0, 443, 0, false), (8443, 65536, 443, 444, false),
        (8443, 8444, 65535, 65536, false),
        (UInt32.max, UInt32.max, 443, 443, false),
    ])
    func rangesAreAsLong(first: UInt32, last: UInt32, target: UInt32, targetLast: UInt32, isGood: Bool) throws
    {
        let rule = read {
            $0.listenPort = first
            $0.listenPortEnd = last
            $0.targetPort = target
            $0.targetPortEnd = targetLast
        }
        guard isGood else {
            #expect(rule == .failure(.rangeInvalid))
            return
        }
        let ports = try rule.get().ports
        #expect(ports == UInt16(first)...UInt16(max(first, last)))
        #expect(try rule.get().targets.map(\.port) == [UInt16(target)])
    }

    /// A rule with ports and numbers that cannot be represented is refused with the control plane's code.
    @Test func othersAreRefused() {
        #expect(read { $0.targetPort = 0 } == .failure(.targetInvalidPort(0)))
        #expect(read { $0.targetPort = 65536 } == .failure(.targetInvalidPort(0)))
        #expect(read { $0.targetHost = "" } == .failure(.invalidTargetHost))
        #expect(read { $0.targets = [target("a", 1), target("b", 0)] } == .failure(.targetInvalidPort(1)))
        #expect(read { $0.targets = [target("", 1)] } == .failure(.invalidTargetHost))
        #expect(read { $0.targets = (1...9).map { target("a", $0) } } == .failure(.invalidTargetHost))
        #expect(
            read {
                $0.targets = [target("a", 1)]
                $0.listenPortEnd = 8444
            } == .failure(.rangeInvalid))
        #expect(PushedRule(Portunus_V1_Rule()).rule == .failure(.rangeInvalid))
        // Displayed text cannot control a terminal, and has a limited length.
        for text in ["a\u{1B}[2J", "a b", "a\u{202E}b", String(repeating: "a", count: 256)] {
            #expect(read { $0.targetHost = text } == .failure(.invalidTargetHost))
            #expect(read { $0.targets = [target(text, 1)] } == .failure(.invalidTargetHost))
            #expect(read { $0.sniPattern = text } == .failure(.modeChangeUnsupported))
        }
        for owner in ["a\u{1B}[2J", "a\u{202E}b", "a\u{9B}b", String(repeating: "a", count: 129)] {
            #expect(read { $0.ownerID = owner } == .failure(.bindFailed(nil)))
        }
        #expect(throws: Never.self) { try read { $0.ownerID = "Zoë of _superadmin" }.get() }
    }

    /// Anything at all is a rule or a refusal; a rule has ports and targets.
    @Test func anythingIsReadOrRefused() throws {
        let seed = UInt64.random(in: .min ... .max)
        print("seed \(seed)")
        var generator = Seeded(seed)
        let edges: [UInt32] = [0, 1, 2, 1023, 1024, 1025, 65534, 65535, 65536, .max]
        func any() -> UInt32 { edges.randomElement(using: &generator)! }
        var rules = 0
        for _ in 0..<20000 {
            let result = read {
                $0.listenPort = any()
                $0.listenPortEnd = any()
                $0.targetPort = any()
                $0.targetPortEnd = any()
                $0.healthCheckIntervalSecs = any()
                if any() > 65535 { $0.targets = [target("a", any(), .UNRECOGNIZED(Int(any()) - 3))] }
            }
            guard let rule = try? result.get() else { continue }
            rules += 1
            #expect(rule.ports.lowerBound > 0 && rule.ports.count <= 8192 && !rule.targets.isEmpty)
            #expect(Int(rule.targets[0].port) + rule.ports.count - 1 <= 65535)
            #expect(!rule.listsTargets || rule.ports.count == 1)
        }
        #expect(rules > 10)
    }
}
