import Packet
import Testing

@testable import Rules

extension Reach {
    /// 10.77.0.0/24 and fd77::/64, where this host is 10.77.0.1 and fd77::1.
    static let tunnel = Reach(
        networks: [(IPAddress("10.77.0.0")!, 24), (IPAddress("fd77::")!, 64)],
        own: [IPAddress("10.77.0.1")!, IPAddress("fd77::1")!])
}

extension Rule {
    /// TCP 8443 to 10.77.0.2:443, modified by `change`.
    static func web(_ change: (inout Rule) -> Void = { _ in }) -> Rule {
        var rule = Rule(
            id: .named("web"), transport: .tcp, ports: 8443...8443,
            targets: [RuleTarget(host: "10.77.0.2", port: 443)])
        change(&rule)
        return rule
    }
}

@Suite struct RuleRefusalTests {
    private func refusal(_ change: (inout Rule) -> Void) -> RuleRefusal? {
        Rule.web(change).refusal(reach: .tunnel)
    }

    @Test func whatMakesSenseIsTaken() {
        #expect(refusal { _ in } == nil)
        #expect(refusal { $0.ports = 1...1024 } == nil)
        #expect(refusal { $0.transport = .udp } == nil)
        #expect(refusal { $0.serverName = "*.Example.org." } == nil)
        #expect(refusal { $0.targets[0].host = "fd77::2" } == nil)
        #expect(
            refusal {
                ($0.ports, $0.targets[0].port) = (64512...65535, 64512)
            } == nil)
        #expect(refusal { $0.targets = (1...8).map { RuleTarget(host: "10.77.0.2", port: $0) } } == nil)
        #expect(
            refusal {
                $0.transport = .udp
                $0.targets[0].proxy = .v2
            } == nil, "PROXY headers of UDP are ignored")
    }

    @Test func portsAreSomeAndNotTooMany() {
        #expect(refusal { $0.ports = 0...0 } == .rangeInvalid)
        #expect(refusal { $0.ports = 0...10 } == .rangeInvalid)
        #expect(refusal { ($0.ports, $0.targets[0].port) = (1...8193, 1) } == .rangeInvalid)
        #expect(refusal { ($0.ports, $0.targets[0].port) = (8000...8010, 65526) } == .rangeInvalid)
        #expect(refusal { ($0.ports, $0.targets[0].port) = (8000...8010, 65525) } == nil)
        #expect(refusal { $0.targets[0].port = 0 } == .targetInvalidPort(0))
        #expect(refusal { $0.targets.append(RuleTarget(host: "x", port: 0)) } == .targetInvalidPort(1))
    }

    @Test func targetsAreOneToEightAndDiffer() {
        #expect(refusal { $0.targets = [] } == .invalidTargetHost)
        #expect(
            refusal { $0.targets = (1...9).map { RuleTarget(host: "10.77.0.2", port: $0) } }
                == .invalidTargetHost)
        let twice: [(String, String)] = [
            ("10.77.0.2", "10.77.0.2"), ("web.example", "WEB.example."), ("fd77::2", "fd77:0::2"),
        ]
        for (one, other) in twice {
            let targets = [one, other].map { RuleTarget(host: $0, port: 80) }
            #expect(refusal { $0.targets = targets } == .invalidTargetHost, "\(one) and \(other)")
            #expect(
                refusal {
                    $0.targets = targets
                    $0.targets[1].port = 81
                } == nil)
        }
    }

    @Test func rangesHaveOneTargetThatIsNoList() {
        let range: ClosedRange<UInt16> = 8000...8010
        #expect(refusal { ($0.ports, $0.listsTargets) = (range, true) } == .rangeInvalid)
        #expect(
            refusal {
                $0.ports = range
                $0.targets.append(RuleTarget(host: "10.77.0.3", port: 443))
            } == .rangeInvalid)
    }

    @Test(arguments: [
        "", ".", "a..b", ".a", "-a.example", "a-.example", "a b", "a/b", "10.77.0", "10.77.0.300", "1", "7.7",
        "[fd77::2]",
        "10.77.0.2:80", "fd77::2%bond0", "häuser.example", "a\0b", "*.example",
        String(repeating: "a", count: 64),
        String(repeating: "a.", count: 126) + "ab",
    ])
    func garbageIsNoHost(_ host: String) {
        #expect(refusal { $0.targets[0].host = host } == .invalidTargetHost)
        #expect(refusal { ($0.targets[0].host, $0.mayLeaveTunnel) = (host, true) } == .invalidTargetHost)
    }

    @Test(arguments: [
        "a", "web.example", "WEB.example.", "_web._tcp.example", "a-b.example", "xn--huser-gra.example",
        "3com.example", "a.7",
        String(repeating: "a", count: 63), String(repeating: "a.", count: 126) + "a",
    ])
    func namesAreHosts(_ host: String) { #expect(refusal { $0.targets[0].host = host } == nil) }

    @Test func addressesAreInsideTheTunnelUnlessTheRuleMayLeaveIt() {
        for host in [
            "10.77.0.1", "10.77.1.2", "127.0.0.1", "192.0.2.1", "::1", "fd77::1", "2001:db8::1",
            "::ffff:10.77.0.2",
        ] {
            #expect(refusal { $0.targets[0].host = host } == .invalidTargetHost, "\(host)")
            #expect(refusal { ($0.targets[0].host, $0.mayLeaveTunnel) = (host, true) } == nil, "\(host)")
        }
        for host in ["0.0.0.0", "::", "224.0.0.1", "255.255.255.255", "ff02::1"] {
            #expect(
                refusal { ($0.targets[0].host, $0.mayLeaveTunnel) = (host, true) } == .invalidTargetHost,
                "\(host)")
        }
    }

    @Test func serverNamesAreForSinglePortsOfTCP() {
        for name in [
            "*.com", "*", "*.", "", "a.*.example", "*.*.example", "*a.example", "a b", ".",
            String(repeating: "a.", count: 128), "*." + String(repeating: "a.", count: 125) + "aa",
        ] {
            #expect(refusal { $0.serverName = name } == .modeChangeUnsupported, "\(name)")
        }
        #expect(refusal { ($0.serverName, $0.transport) = ("a.example", .udp) } == .modeChangeUnsupported)
        #expect(refusal { ($0.serverName, $0.ports) = ("a.example", 1...2) } == .modeChangeUnsupported)
    }

    @Test func namesLeadOnlyToWhereTheRuleMay() {
        let addresses = ["192.0.2.1", "fd77::2", "10.77.0.2", "10.77.0.1"].map { IPAddress($0)! }
        #expect(Rule.web().dialOrder(addresses, reach: .tunnel) == [addresses[2], addresses[1]])
        #expect(
            Rule.web { $0.prefersIPv6 = true }.dialOrder(addresses, reach: .tunnel) == [
                addresses[1], addresses[2],
            ])
        #expect(
            Rule.web { $0.mayLeaveTunnel = true }.dialOrder(addresses, reach: .tunnel)
                == [addresses[0], addresses[2], addresses[3], addresses[1]])
    }
}

@Suite struct WayReasonTests {
    private func reason(
        ownerIsLimited: Bool = false, ownerHasQuota: Bool = false, portHasNames: Bool = false,
        _ change: (inout Rule) -> Void = { _ in }
    ) -> WayReason? {
        Rule.web(change).wayReason(
            reach: .tunnel, ownerIsLimited: ownerIsLimited, ownerHasQuota: ownerHasQuota,
            portHasNames: portHasNames)
    }

    @Test func theKernelTakesWhatIsSimple() {
        #expect(reason() == nil)
        #expect(reason { $0.ports = 8000...9000 } == nil)
        #expect(reason { $0.targets[0].host = "fd77::2" } == nil)
        #expect(reason { $0.listsTargets = true } == nil)
        #expect(reason { $0.limit.burstIn = 5 } == nil, "a burst of nothing")
        #expect(
            reason(portHasNames: true) {
                $0.transport = .udp
                $0.targets[0].proxy = .v1
            } == nil, "names and PROXY headers are TCP's")
    }

    @Test func everythingElseHasAReason() {
        #expect(reason { $0.serverName = "a.example" } == .serverNames)
        #expect(reason(portHasNames: true) == .serverNames)
        #expect(reason { $0.targets.append(RuleTarget(host: "10.77.0.3", port: 1)) } == .severalTargets)
        #expect(reason { $0.targets[0].host = "web.example" } == .targetName)
        #expect(reason { $0.targets[0].host = "192.0.2.1" } == .outside)
        #expect(reason { $0.targets[0].host = "10.77.0.1" } == .outside)
        #expect(reason { $0.targets[0].proxy = .v2 } == .proxyHeader)
        #expect(reason { $0.probeInterval = 1 } == .probes)
        #expect(reason { $0.limit.bytesIn = 5 } == .limit)
        #expect(reason { $0.limit.bytesOut = 5 } == .limit)
        #expect(reason { $0.limit.connections = 0 } == .limit)
        #expect(reason { $0.limit.connectionRate = 5 } == .limit)
        #expect(reason(ownerIsLimited: true) == .ownerLimit)
        #expect(reason(ownerHasQuota: true) == .quota)
        #expect(reason { ($0.transport, $0.maximumFlows) = (.udp, 5) } == .flowLimits)
        #expect(reason { ($0.transport, $0.flowIdle) = (.udp, 5) } == .flowLimits)
        #expect(reason { $0.flowIdle = 5 } == nil, "TCP has no flows")
        #expect(Set(WayReason.allCases.map(\.description)).count == WayReason.allCases.count)
    }
}
