import ControlProtocol
import Packet
import Settings
import Testing

@testable import Host
@testable import bondd

/// The verdicts of `bondd doctor` on its findings, without a host.
@Suite struct DoctorTests {
    private static func interface(
        _ index: UInt32, _ name: String, mtu: Int = 1500, isUp: Bool = true, hasCarrier: Bool = true,
        kind: String? = nil
    ) -> NetworkInterface {
        NetworkInterface(
            index: index, name: name, mtu: mtu, isUp: isUp, hasCarrier: hasCarrier, kind: kind, hardware: 1)
    }

    private static func facts(_ addresses: (String, String)...) -> HostFacts {
        var facts = HostFacts()
        facts.interfaces = [
            interface(1, "lo"), interface(2, "eth0"), interface(3, "wwan0"),
            interface(9, "bond0", kind: "tun"),
        ]
        facts.addresses = addresses.map { HostFacts.Address(interface: $0.0, network: CIDR($0.1)!) }
        return facts
    }

    private static func route(_ network: String, _ interface: UInt32, by gateway: String? = nil)
        -> NetworkRoute
    {
        var route = NetworkRoute(table: NetworkRoute.mainTable, network: CIDR(network)!, interface: interface)
        route.gateway = gateway.flatMap { IPAddress($0) }
        return route
    }

    // MARK: - Routes

    @Test func routesThatWinOverAFullTunnelAreNamed() {
        var facts = Self.facts()
        facts.routes = [
            Self.route("0.0.0.0/0", 2, by: "192.168.1.1"), Self.route("192.168.1.0/24", 2),
            Self.route("10.8.0.0/16", 2, by: "192.168.1.2"), Self.route("0.0.0.0/1", 9),
            Self.route("::/1", 2, by: "fe80::1"),
        ]
        #expect(RouteCheck.judge(facts, families: [.v4], tunnel: "bond0").verdict == .ok)
        for network in ["0.0.0.0/1", "128.0.0.0/1", "198.41.0.4/32"] {
            var facts = facts
            facts.routes.append(Self.route(network, 3, by: "192.168.8.1"))
            let finding = RouteCheck.judge(facts, families: [.v4], tunnel: "bond0")
            #expect(finding.verdict == .warn && finding.found.contains("\(network) by wwan0"), "\(finding)")
            #expect(finding.remedy?.contains("ip route del \(network) dev wwan0") == true)
        }
        #expect(
            RouteCheck.judge(facts, families: [.v4, .v6], tunnel: "bond0").found.contains("::/1 by eth0"))
    }

    @Test func strictFiltersMatterWhereTwoUplinksHaveOneNetwork() {
        let twins = Self.facts(("eth0", "192.168.8.100/24"), ("wwan0", "192.168.8.101/24"))
        let apart = Self.facts(("eth0", "192.168.1.100/24"), ("wwan0", "192.168.8.101/24"))
        let both = ["eth0", "wwan0"]
        #expect(ReversePathCheck.judge(both, strict: both, twins).map(\.verdict) == [.warn, .warn])
        #expect(ReversePathCheck.judge(both, strict: [], twins).map(\.verdict) == [.ok])
        #expect(ReversePathCheck.judge(both, strict: both, apart).map(\.verdict) == [.ok])
        #expect(ReversePathCheck.judge([], strict: [], apart).isEmpty)
    }

    // MARK: - UDP

    private static func way(_ interface: String, _ endpoint: String, _ rtt: Int64?) -> UDPCheck.Way {
        UDPCheck.Way(interface: interface, endpoint: Endpoint(endpoint)!, rtt: rtt.map { .milliseconds($0) })
    }

    @Test func eachUplinkAndEndpointIsJudged() {
        let (a, b) = ("203.0.113.7:5000", "[2001:db8::7]:5000")
        func verdicts(
            _ ways: [UDPCheck.Way], _ uplinks: [String] = ["eth0", "wwan0"], filtered: [String] = []
        ) -> [Finding] {
            UDPCheck.judge(ways, uplinks: uplinks, filtered: filtered)
        }
        let good = verdicts([Self.way("eth0", a, 20), Self.way("eth0", b, 21), Self.way("wwan0", a, 60)])
        #expect(good.map(\.verdict) == [.ok, .ok, .ok] && good[0].found.contains("eth0"))
        // One endpoint is dead: the uplink works.
        let half = verdicts([Self.way("eth0", a, 20), Self.way("eth0", b, nil)], ["eth0"])
        #expect(half.map(\.verdict) == [.ok, .warn] && half[1].found.contains(b))
        // One uplink is dead: a captive portal, or UDP is dropped.
        let captive = verdicts([Self.way("eth0", a, 20), Self.way("wwan0", a, nil)])
        #expect(
            captive.map(\.verdict) == [.ok, .fail]
                && captive[1].remedy?.contains("curl --interface wwan0") == true)
        // All endpoints are dead: the cause is the server's port, or its key.
        let silence = verdicts([Self.way("eth0", a, nil), Self.way("wwan0", a, nil)])
        #expect(
            silence.map(\.verdict) == [.fail, .fail] && silence[0].remedy?.contains("public_key") == true)
        // While bondd is not running, a strict filter hides packets that arrive on the second uplink.
        let hidden = verdicts(
            [Self.way("eth0", a, 20), Self.way("wwan0", a, nil), Self.way("wwan0", b, 30)],
            filtered: ["wwan0"])
        #expect(
            hidden.map(\.verdict) == [.ok, .ok, .warn] && hidden[2].found.contains("reverse-path filter"))
        let other = verdicts([Self.way("eth0", a, 20)])
        #expect(other.last?.verdict == .fail && other.last?.found.contains("family") == true)
    }

    @Test func uplinksAreOffWithoutLinkOrSmall() {
        #expect(UDPCheck.judgeMTU(Self.interface(2, "eth0"))?.verdict == .ok)
        #expect(UDPCheck.judgeMTU(Self.interface(2, "eth0", isUp: false))?.remedy == "ip link set eth0 up")
        #expect(UDPCheck.judgeMTU(Self.interface(2, "eth0", hasCarrier: false))?.verdict == .fail)
        #expect(UDPCheck.judgeMTU(Self.interface(2, "eth0", mtu: 1200))?.verdict == .warn)
        #expect(UDPCheck.judgeMTU(nil) == nil)
    }

    // MARK: - Names, clock, disk, units

    @Test func nameServersAreReadAndJudged() {
        let text =
            "search x\nnameserver 10.0.0.1\n#nameserver 10.0.0.9\nnameserver\tfe80::1%eth0\nnameserver junk\nnameserver 10.0.0.2\nnameserver 10.0.0.3\n"
        let servers = NamesCheck.servers(in: text)
        #expect(servers.map(\.description) == ["10.0.0.1", "fe80::1", "10.0.0.2"])
        let (a, b) = (servers[0], servers[2])
        #expect(
            NamesCheck.judge([(a, .answered), (b, .silence)], isClient: true).map(\.verdict) == [.ok, .warn])
        #expect(
            NamesCheck.judge([(a, .refused), (b, .silence)], isClient: true).map(\.verdict) == [.fail, .fail])
        #expect(NamesCheck.judge([(a, .silence)], isClient: false).map(\.verdict) == [.warn])
        #expect(NamesCheck.judge([(a, .refused)], isClient: true)[0].remedy?.contains("[tunnel] dns") == true)
    }

    @Test func answersOfNameServersAreRead() {
        var answer = NamesCheck.question(0x1234)
        func read(_ bytes: [UInt8]) -> NamesCheck.Answer? {
            bytes.withUnsafeBytes { NamesCheck.read($0, to: 0x1234) }
        }
        // The question itself is not an answer, nor is an answer to another question, nor half of one.
        #expect(read(answer) == nil)
        answer[2] |= 0x80
        #expect(read(answer) == .answered && read(Array(answer[..<11])) == nil)
        answer[3] = 5
        #expect(read(answer) == .refused)
        answer[0] = 0
        #expect(read(answer) == nil)
    }

    @Test func clockDiskAndUnits() {
        #expect(ClockCheck.judge(seconds: 1_800_000_000, isSynchronised: true).verdict == .ok)
        #expect(ClockCheck.judge(seconds: 1_800_000_000, isSynchronised: false).verdict == .warn)
        #expect(ClockCheck.judge(seconds: 86_400, isSynchronised: true).verdict == .fail)
        #expect(StateDirectoryCheck.judge("/x", errno: 0, free: 1 << 30).verdict == .ok)
        #expect(StateDirectoryCheck.judge("/x", errno: 0, free: 1 << 20).verdict == .warn)
        #expect(StateDirectoryCheck.judge("/x", errno: 28, free: 0).found.contains("full"))
        #expect(StateDirectoryCheck.judge("/x", errno: 30, free: 1 << 30).verdict == .fail)
        func unit(_ load: String, _ active: String, _ file: String) -> [Finding] {
            UnitCheck.judge(
                "bondd", "LoadState=\(load)\nActiveState=\(active)\nUnitFileState=\(file)\nResult=exit-code\n"
            )
        }
        #expect(unit("loaded", "active", "enabled").map(\.verdict) == [.ok])
        #expect(unit("loaded", "failed", "disabled").map(\.verdict) == [.fail, .warn])
        #expect(unit("masked", "inactive", "masked").map(\.verdict) == [.fail])
        #expect(unit("not-found", "inactive", "").isEmpty)
        #expect(
            KillSwitchCheck.judge(tables: ["bondd_killswitch"], isRunning: false)[0].remedy?.contains(
                "bondd unlock") == true)
        #expect(KillSwitchCheck.judge(tables: ["bondd_killswitch"], isRunning: true)[0].verdict == .ok)
        #expect(KillSwitchCheck.judge(tables: [], isRunning: false).isEmpty)
    }

    // MARK: - The daemon

    @Test func aStatusIsJudged() {
        var up = PathStatus(name: "fibre", interface: "eth0", state: "up", role: "primary")
        up.mtu = 1492
        var dead = PathStatus(name: "lte", interface: "wwan0", state: "down", role: "backup")
        dead.note = "wwan0 has no address; wait for DHCP"
        let session = SessionStatus(
            client: "server", address: "10.77.0.2", state: "up", mode: "auto", rekeyAge: 1, paths: [up, dead])
        var status = Status(
            version: "1.2.3", role: "client", mode: "auto", interface: "bond0", mtu: 1400, uptime: 9,
            sessions: [session],
            notices: ["names are not resolved; set dns"])
        status.problems = ["all is lost"]
        let findings = DaemonCheck.judge(status, version: "1.2.3")
        #expect(findings.map(\.verdict) == [.ok, .ok, .ok, .fail, .fail, .warn])
        #expect(findings[3].remedy == "wait for DHCP" && findings[5].remedy == "set dns")
        #expect(DaemonCheck.judge(status, version: "1.2.4")[0].verdict == .warn)
        status.sessions[0].state = "connecting"
        #expect(DaemonCheck.judge(status, version: "1.2.3")[1].verdict == .fail)
    }

    @Test func keysThatTheServerDoesNotTake() {
        #expect(KeyCheck.judge(.accepted).verdict == .ok)
        for (outcome, words) in [
            (KeyCheck.Outcome.keyRefused, "bondd invite"), (.anotherSuite, "cipher"),
            (.anotherVersion, "version"),
            (.anotherPresharedKey, "preshared_key_file"), (.silence, "bondd status"),
        ] {
            let finding = KeyCheck.judge(outcome)
            #expect(finding.verdict == .fail && finding.remedy?.contains(words) == true, "\(finding)")
        }
    }

    // MARK: - Layout

    @Test func linesHold80Columns() {
        let long = String(repeating: "something is the matter here ", count: 12)
        let text = FindingTable([.fail("killswitch", long, long), .ok("udp", long), .warn("x", "y")]).text
        for line in text.split(separator: "\n") { #expect(line.count <= 80, "\(line)") }
        #expect(text.hasPrefix("FAIL killswitch something") && text.contains("\nok   udp        something"))
        #expect(
            text.contains("\n                → something")
                && text.hasSuffix("1 failed, 1 to check, 1 fine.\n"))
        #expect(FindingTable([.ok("a", "b")]).text.hasSuffix("Nothing is wrong.\n"))
    }
}
