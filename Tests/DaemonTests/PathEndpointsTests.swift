import Host
import Packet
import Settings
import Testing

@testable import Daemon

/// The endpoints of the server that an interface can send to.
@Suite struct PathEndpointsTests {
    private let v4 = Endpoint("203.0.113.7:5000")!
    private let v6 = Endpoint("[2001:db8:7::7]:5000")!
    private let translated = Endpoint("[64:ff9b::cb00:7107]:5000")!

    private func address(_ text: String) -> IPAddress { IPAddress(text)! }

    private func route(_ network: String) -> NetworkRoute {
        NetworkRoute(table: NetworkRoute.mainTable, network: CIDR(network)!, interface: 7)
    }

    private func choice(
        _ wanted: [Endpoint], _ addresses: [String], _ routes: [String], gateways: [String] = [],
        translators: [NAT64] = []
    ) -> PathEndpoints {
        PathEndpoints(
            wanted: wanted, interface: "up0", addresses: addresses.map { address($0) },
            routes: routes.map { route($0) }, gateways: gateways.map { address($0) },
            translators: translators)
    }

    @Test func theOrderIsTheConfigurations() {
        let both = choice(
            [v6, v4], ["10.0.0.2", "fe80::1", "2001:db8::2"], ["0.0.0.0/0", "::/0"])
        #expect(both.usable == [v6, v4] && both.problem == nil)
    }

    /// An address without a route does not count; but if there is no route at all, it is tried.
    @Test func aFamilyNeedsAnAddressAndARoute() {
        let routed = choice([v6, v4], ["10.0.0.2", "2001:db8::2"], ["0.0.0.0/0"])
        #expect(routed.usable == [v4])
        let lost = choice([v4], ["10.0.0.2"], [])
        #expect(lost.usable == [v4])
        #expect(lost.problem?.contains("has no route to") == true)
        let configured = choice([v4], ["10.0.0.2"], [], gateways: ["10.0.0.1"])
        #expect(configured.usable == [v4] && configured.problem == nil)
        #expect(choice([v4], ["10.0.0.2"], ["203.0.113.0/24"]).problem == nil)
    }

    @Test func whatIsMissingIsSaid() {
        #expect(choice([v4], [], []).problem == "up0 has no address; check its DHCP client or give it one")
        #expect(choice([v4], ["fe80::1"], ["::/0"]).problem?.contains("no address") == true)
        let other = choice([v6], ["10.0.0.2"], ["0.0.0.0/0"])
        #expect(other.usable.isEmpty)
        #expect(other.problem?.contains("has only IPv4, and the server's endpoints are IPv6") == true)
        #expect(choice([], [], []).problem == nil)
    }

    /// RFC 7050's prefix precedes the well-known one, both after endpoints that need no translator.
    @Test func anUplinkOfIPv6AloneIsTranslated() throws {
        let alone = choice([v4], ["2001:db8::2"], ["::/0"])
        #expect(alone.usable == [translated] && alone.problem == nil)
        let prefix = try #require(NAT64(prefix: address("2001:db8:64::"), length: 96))
        let own = Endpoint("[2001:db8:64::cb00:7107]:5000")!
        let told = choice([v4, v6], ["2001:db8::2"], ["::/0"], translators: [prefix])
        #expect(told.usable == [v6, own, translated])
        // Not if IPv4 works, and not without a route.
        #expect(choice([v4], ["10.0.0.2", "2001:db8::2"], ["0.0.0.0/0", "::/0"]).usable == [v4])
        #expect(choice([v4], ["2001:db8::2"], []).usable.isEmpty)
    }

    /// Missing hardware explains a missing interface, and a path without a route shares no router.
    @Test func theGraverOfTwoConcernsAboutOnePartIsShown() {
        let path = ClientPath(id: 1, place: 0, configuration: Configuration.Path(interface: "up0"))
        #expect(path.note == nil)
        (path.concerns[.interface], path.concerns[.router]) = ("no interface", "shared router")
        #expect(path.note == "no interface; shared router")
        (path.concerns[.hardware], path.concerns[.routing]) = ("no hardware", "no route")
        #expect(path.note == "no hardware; no route")
        path.concerns[.hardware] = nil
        #expect(path.note == "no interface; no route")
    }
}
