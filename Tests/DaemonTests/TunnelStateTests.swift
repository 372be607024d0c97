import Glibc
import Host
import Packet
import Runtime
import Settings
import TestSupport
import Testing

@testable import Daemon

/// The desired state of the tunnel's interface, routing and name servers, which other programs change.
@Suite(.serialized) struct TunnelStateTests {
    private let addresses = [CIDR("10.77.0.2/24")!, CIDR("fd77::2/64")!]
    private let routes = [CIDR("198.51.100.0/24")!, CIDR("2001:db8:51::/48")!]

    private func withTunnel(_ body: (inout TunnelInterface, borrowing Netlink) throws -> Void) throws {
        try OwnNetwork.run {
            OwnNetwork.ip("link add bond7 type veth peer name far7")
            OwnNetwork.ip("link set far7 up")
            let netlink = try Netlink()
            var tunnel = try TunnelInterface(
                name: "bond7", index: if_nametoindex("bond7"), mtu: 1300, netlink)
            try tunnel.apply(
                .init(addresses: addresses, mtu: 1380, routes: routes), netlink, silentLog)
            try body(&tunnel, netlink)
        }
    }

    private func expect(
        _ tunnel: TunnelInterface, _ netlink: borrowing Netlink, holds: Bool,
        location: SourceLocation = #_sourceLocation
    ) throws {
        let found = try tunnel.holds(netlink)
        #expect(found == holds, sourceLocation: location)
    }

    private func shown() -> String {
        OwnNetwork.output("ip addr show dev bond7; ip route show dev bond7; ip -6 route show dev bond7")
    }

    @Test(
        .enabled(if: OwnNetwork.isPermitted, "needs root"),
        arguments: [
            "addr flush dev bond7", "route flush dev bond7", "-6 route flush dev bond7",
            "link set bond7 down",
        ])
    func whatIsFlushedComesBack(command: String) throws {
        try withTunnel { tunnel, netlink in
            try expect(tunnel, netlink, holds: true)
            OwnNetwork.ip(command)
            OwnNetwork.ip("link set bond7 up")
            try expect(tunnel, netlink, holds: false)
            try tunnel.repair(netlink, silentLog)
            try expect(tunnel, netlink, holds: true)
            let shown = self.shown()
            for text in (addresses + routes).map(\.description) { #expect(shown.contains(text), "\(shown)") }
            #expect(shown.contains("mtu 1380") && tunnel.networks.count == 4)
        }
    }

    @Test(.enabled(if: OwnNetwork.isPermitted, "needs root"))
    func whatIsNoLongerDesiredIsRemoved() throws {
        try withTunnel { tunnel, netlink in
            try tunnel.apply(
                .init(addresses: [CIDR("10.77.0.3/24")!], mtu: 1380, routes: [routes[0]]), netlink, silentLog)
            try expect(tunnel, netlink, holds: true)
            let shown = self.shown()
            #expect(shown.contains("10.77.0.3/24") && shown.contains("198.51.100.0/24"), "\(shown)")
            for gone in ["10.77.0.2/24", "fd77::2/64", "2001:db8:51::/48"] {
                #expect(!shown.contains(gone), "\(shown)")
            }
        }
    }

    @Test(.enabled(if: OwnNetwork.isPermitted, "needs root"))
    func anotherProgramsRouteStaysAndIsAProblemForAsLongAsItIsThere() throws {
        try withTunnel { tunnel, netlink in
            OwnNetwork.ip("link add other type veth peer name far")
            OwnNetwork.ip("link set other up")
            OwnNetwork.ip("route replace 198.51.100.0/24 dev other")
            try expect(tunnel, netlink, holds: false)
            try tunnel.repair(netlink, silentLog)
            let problems = tunnel.problems(try netlink.routes(), netlink)
            #expect(problems.count == 1 && problems[0].contains("198.51.100.0/24 through other already"))
            OwnNetwork.ip("route del 198.51.100.0/24")
            try expect(tunnel, netlink, holds: false)
            try tunnel.repair(netlink, silentLog)
            try expect(tunnel, netlink, holds: true)
            let rest = tunnel.problems([], netlink)
            #expect(rest == [])
        }
    }

    /// Everything that belongs into a tunnel whose interface is off is refused, as it would leave outside.
    @Test func aTunnelThatIsOffRefusesWhatBelongsIntoIt() {
        var routing = TunnelRouting()
        let all = [CIDR("0.0.0.0/0")!, CIDR("::/0")!, routes[0]]
        let rest = routing.lead(all, addresses: [addresses[0]], tunnel: "bond7", silentLog)
        #expect(rest == [routes[0]])
        #expect(routing.ways == .init(ipv4: .tunnel, ipv6: .refused) && routing.ways.full == [.v4])
        func plan(isUp: Bool) -> RoutingPlan {
            routing.desired(tunnel: 7, named: "bond7", addresses: [addresses[0]], isUp: isUp)
        }
        #expect(plan(isUp: true).ipv4 == .tunnel && plan(isUp: true).canReturn)
        #expect(plan(isUp: false).ipv4 == .refused && !plan(isUp: false).canReturn)
        #expect(plan(isUp: false).addresses == [addresses[0].address])
        _ = routing.lead([routes[0]], addresses: addresses, tunnel: "bond7", silentLog)
        #expect(routing.ways == .init() && plan(isUp: false).ipv4 == .beside)
    }

    private func wait(
        _ settings: inout ResolverSettings, now: inout Instant, until isDone: () -> Bool
    ) {
        for _ in 0..<1000 where !isDone() {
            usleep(2000)
            now = now + .seconds(1)
            _ = settings.check(now: now)
            settings.takeOutcomes(silentLog, now: now)
        }
    }

    @Test func nameServersComeBackWhenTheFileIsOverwritten() throws {
        let directory = TemporaryDirectory()
        let file = "\(directory.path)/resolv.conf"
        let was = "nameserver 192.0.2.53\n"
        directory.file("resolv.conf", was)
        func text() -> String { (try? TextFile.read(file, limit: 4096)) ?? "" }
        let host = NameServers(
            interface: "lo", directory: directory.path, file: file, runDirectory: "\(directory.path)/none")
        var (settings, now) = (ResolverSettings(host), Instant.zero)
        settings.apply([addresses[0].address])
        func isOurs() -> Bool { text().contains("nameserver 10.77.0.2\n") }
        wait(&settings, now: &now, until: isOurs)
        #expect(isOurs() && settings.problems == [])
        settings.takeOutcomes(silentLog, now: now)
        directory.file("resolv.conf", "nameserver 198.51.100.53\n")
        wait(&settings, now: &now, until: isOurs)
        #expect(isOurs())
        settings.remove(silentLog)
        #expect(text() == "nameserver 198.51.100.53\n" && settings.desired == [])
    }

    /// A split tunnel leaves the host's own servers, and has nothing to decide.
    @Test func withoutAnOfferASplitTunnelIsSettledAtOnce() {
        let directory = TemporaryDirectory()
        let host = NameServers(
            interface: "lo", directory: directory.path, file: "\(directory.path)/resolv.conf",
            runDirectory: "\(directory.path)/none")
        var names = NameService(host)
        #expect(!names.status([:]).settled)
        let hasMoved = names.use(.init())
        #expect(!hasMoved)
        #expect(names.status([:]).settled && names.status([:]).source == "host" && names.servers == [])
        let uplinks = NameService.Uplinks(up: [1: "up0"])
        let hasDecided = names.attend(uplinks, direct: { _ in nil }, silentLog, now: .zero)
        #expect(!hasDecided && !names.isAsking && names.problems == [] && names.servers(over: 1) == [])
    }
}
