import Glibc
import Packet
import Settings
import TestSupport
import Testing

@testable import Host

/// Routes of an uplink's network that would bypass a full tunnel.
@Suite struct RouteGuardTests {
    private func route(
        _ network: String, via gateway: String? = nil, interface: UInt32 = 1, origin: UInt8 = 3
    ) -> NetworkRoute {
        var route = NetworkRoute(table: NetworkRoute.mainTable, network: CIDR(network)!, interface: interface)
        (route.gateway, route.origin) = (gateway.map { IPAddress($0)! }, origin)
        return route
    }

    private func judge(_ routes: [NetworkRoute], families: Set<IPAddress.Family> = [.v4, .v6]) -> RouteGuard {
        RouteGuard(
            routes, uplinks: [1: ["192.168.1.10", "198.51.100.77", "2001:db8:1::10"].map { IPAddress($0)! }],
            families: families)
    }

    private func overruled(_ routes: [NetworkRoute]) -> [String] {
        judge(routes).overruled.map(\.network.description)
    }

    @Test func whatLeadsPastIsOverruled() {
        let halves = [route("0.0.0.0/1", via: "192.168.1.1"), route("128.0.0.0/1", via: "192.168.1.1")]
        #expect(overruled(halves) == ["0.0.0.0/1", "128.0.0.0/1"])
        #expect(overruled([route("::/1", via: "fe80::1"), route("8000::/1", via: "fe80::1")]).count == 2)
        #expect(overruled([route("203.0.113.9/32", via: "192.168.1.1")]) == ["203.0.113.9/32"])
        // DHCP may declare a network to be on the link.
        #expect(overruled([route("203.0.113.0/24")]) == ["203.0.113.0/24"])
        #expect(
            overruled([route("2001:db8:9::/64", origin: NetworkRoute.kernelOrigin)]) == ["2001:db8:9::/64"])
        // Routes of a family that does not go into the tunnel stay.
        #expect(judge(halves, families: [.v6]).overruled.isEmpty)
    }

    @Test func whatIsTheHostsOwnStays() {
        let own = [
            route("192.168.1.0/24", origin: NetworkRoute.kernelOrigin),
            route("10.0.0.0/8", via: "192.168.1.254"), route("100.64.0.0/10", via: "192.168.1.1"),
            route("fd00::/8", via: "fe80::1"), route("172.17.0.0/16", interface: 7),
            route("203.0.113.0/24", via: "10.9.0.1", interface: 7),
            route("2001:db8:1::/64", origin: NetworkRoute.kernelOrigin),
            // A point-to-point link's peer.
            route("203.0.113.1/32", origin: NetworkRoute.kernelOrigin),
        ]
        #expect(judge(own) == judge([]))
        // A public network that contains the interface's own address stays, and is reported.
        let claimed = judge([route("198.51.100.0/24", origin: NetworkRoute.kernelOrigin)])
        #expect(claimed.overruled.isEmpty && claimed.unguarded.count == 1)
        #expect(judge([route("2001::/16", origin: NetworkRoute.kernelOrigin)]).unguarded.count == 1)
        // More than a DHCP server announces.
        let table = (0..<2000).map { route("20.\($0 / 256).\($0 % 256).0/24", via: "192.168.1.1") }
        #expect(judge(table).overruled.isEmpty && judge(table).unguarded.count == 2000)
    }

    @Test func narrowerRoutesOfASplitTunnelAreKnown() {
        let routes = [
            route("10.1.0.0/16", via: "192.168.1.1"), route("10.0.0.0/8", via: "192.168.1.1"),
            route("10.2.0.0/16", interface: 7), route("11.0.0.0/8", via: "192.168.1.1"),
        ]
        let found = RouteGuard.narrower(routes, than: [CIDR("10.0.0.0/8")!], uplinks: [1])
        #expect(found.map(\.network.description) == ["10.1.0.0/16"])
    }
}

/// The same with a real kernel.
@Suite(.serialized, .enabled(if: OwnNetwork.isPermitted, "needs root for network namespaces"))
struct UplinkRoutingTests {
    private func uplink(_ name: String, _ address: String) {
        OwnNetwork.ip("link add \(name) type veth peer name r\(name)")
        OwnNetwork.ip("link set r\(name) up")
        OwnNetwork.ip("link set \(name) up")
        OwnNetwork.ip("addr add \(address) dev \(name)")
    }

    private func way(_ arguments: String) -> String {
        OwnNetwork.output("ip route get \(arguments) 2>&1").split(separator: "\n").first.map(String.init)
            ?? ""
    }

    private func tunnel() -> UInt32 {
        OwnNetwork.ip("tuntap add dev bond0 mode tun")
        OwnNetwork.ip("link set bond0 up")
        return if_nametoindex("bond0")
    }

    private func path(_ name: String, slot: UInt32, _ address: String, gateway: String? = nil)
        -> RoutingPlan.Path
    {
        RoutingPlan.Path(
            slot: slot, interface: if_nametoindex(name), name: name, addresses: [IPAddress(address)!],
            endpoints: [IPAddress("203.0.113.7")!], gateways: gateway.map { [IPAddress($0)!] } ?? [])
    }

    @Test func aFullTunnelIsNotLedPast() throws {
        try OwnNetwork.run {
            uplink("wire", "192.168.1.10/24")
            OwnNetwork.ip("route add default via 192.168.1.1 dev wire")
            for network in ["0.0.0.0/1", "128.0.0.0/1", "203.0.113.9/32", "192.168.50.0/24"] {
                OwnNetwork.ip("route add \(network) via 192.168.1.1 dev wire")
            }
            OwnNetwork.ip("link add docker0 type bridge")
            OwnNetwork.ip("link set docker0 up")
            OwnNetwork.ip("addr add 172.17.0.1/16 dev docker0")
            let index = tunnel()
            let netlink = try Netlink()
            var plan = RoutingPlan(tunnel: index)
            (plan.paths, plan.ipv4) = ([path("wire", slot: 1, "192.168.1.10")], .tunnel)
            plan.uplinks = [if_nametoindex("wire"): [IPAddress("192.168.1.10")!]]
            #expect(way("198.51.100.1").contains("dev wire"))
            let routing = HostRouting(tunnel: index)
            #expect(try routing.apply(plan, netlink).problems.isEmpty)
            for target in ["198.51.100.1", "203.0.113.9", "8.8.8.8"] {
                #expect(way(target).contains("dev bond0"), "\(way(target))")
            }
            #expect(way("192.168.1.77").contains("dev wire") && way("192.168.50.1").contains("dev wire"))
            #expect(way("172.17.0.2").contains("dev docker0"))
            // bondd's own datagrams.
            #expect(way("203.0.113.7 mark 0x0100b0dd oif wire").contains("via 192.168.1.1"))
            #expect(try routing.apply(plan, netlink).changedSlots.isEmpty)
            plan.ipv4 = .refused
            #expect(try routing.apply(plan, netlink).problems.isEmpty)
            #expect(way("198.51.100.1").contains("No route to host"), "\(way("198.51.100.1"))")
            try routing.clear(netlink)
            #expect(way("198.51.100.1").contains("dev wire"))
        }
    }

    @Test func eachPathOfAnInterfaceHasItsRouter() throws {
        try OwnNetwork.run {
            uplink("wire", "192.168.1.10/24")
            let index = tunnel()
            let netlink = try Netlink()
            var plan = RoutingPlan(tunnel: index)
            plan.paths = [
                path("wire", slot: 1, "192.168.1.10", gateway: "192.168.1.1"),
                path("wire", slot: 2, "192.168.1.10", gateway: "192.168.1.254"),
            ]
            #expect(try HostRouting(tunnel: index).apply(plan, netlink).problems.isEmpty)
            for (slot, gateway) in [(1, "192.168.1.1"), (2, "192.168.1.254")] {
                let mark = "0x" + String(TunnelMark.value(slot: UInt32(slot)), radix: 16)
                let found = way("203.0.113.7 mark \(mark) oif wire")
                #expect(found.contains("via \(gateway) "), "\(found)")
                #expect(TunnelMark.value(slot: UInt32(slot)) & TunnelMark.mask == TunnelMark.value)
            }
        }
    }

    @Test func anIPv4RouteMayHaveAnIPv6Router() throws {
        try OwnNetwork.run {
            uplink("wire", "192.168.1.10/24")
            OwnNetwork.ip("-4 route add default via inet6 fe80::1 dev wire metric 5")
            let index = tunnel()
            let netlink = try Netlink()
            let known = try netlink.routes(.host(reaching: []))
            #expect(known.contains { $0.network == .anywhere(.v4) && $0.gateway == IPAddress("fe80::1") })
            #expect(try netlink.defaultInterfaces(except: "bond0") == ["wire"])
            var plan = RoutingPlan(tunnel: index)
            plan.paths = [path("wire", slot: 1, "192.168.1.10")]
            #expect(try HostRouting(tunnel: index).apply(plan, netlink).problems.isEmpty)
            OwnNetwork.ip("-4 route del default")
            let found = way("203.0.113.7 mark 0x0100b0dd oif wire")
            #expect(found.contains("via inet6 fe80::1"), "\(found)")
        }
    }

    @Test func routesOfARoutingDaemonAreNotKept() throws {
        try OwnNetwork.run {
            uplink("wire", "192.168.1.10/24")
            for network in ["20.0.0.0/24", "20.0.1.0/24", "203.0.113.0/24", "default"] {
                OwnNetwork.ip("route add \(network) via 192.168.1.1 dev wire proto bgp")
            }
            OwnNetwork.ip("route add 20.0.2.0/24 via 192.168.1.1 dev wire")
            let netlink = try Netlink()
            let known = try netlink.routes(.host(reaching: [IPAddress("203.0.113.7")!]))
                .filter { $0.gateway != nil }.map(\.network.description)
            #expect(Set(known) == ["0.0.0.0/0", "203.0.113.0/24", "20.0.2.0/24"])
            #expect(try netlink.routes(.own).isEmpty)
            #expect(try netlink.routes(.main(origin: 186)).count == 4)
            // Other requests work as before.
            #expect(try netlink.interfaces().contains { $0.name == "wire" && $0.mac != nil })
            _ = try netlink.neighbours()
        }
    }

    @Test func overlappingUplinksAreFilteredLoosely() throws {
        try OwnNetwork.run {
            for name in ["one", "two", "three"] { OwnNetwork.ip("link add \(name) type bridge") }
            for name in ["all", "one"] { try KernelParameter("net/ipv4/conf/\(name)/rp_filter").set("1") }
            func value(_ name: String) -> String? { ReversePath.parameter(name)?.value }
            let before = ["one", "two", "three"].map(value)
            func link(_ name: String, _ network: String) -> ReversePathRelief.Link {
                ReversePathRelief.Link(interface: name, networks: [CIDR(network)!])
            }
            let directory = TemporaryDirectory()
            var relief = ReversePathRelief(directory: directory.path, interface: "bond0")
            #expect(relief.apply([link("one", "192.168.8.0/24"), link("three", "10.0.0.0/8")]).isEmpty)
            #expect(["one", "two", "three"].map(value) == before)
            let twins = [
                link("one", "192.168.8.0/24"), link("two", "192.168.0.0/16"), link("three", "10.0.0.0/8"),
            ]
            let notices = relief.apply(twins)
            #expect(notices.count == 1 && notices[0].contains("one and two"), "\(notices)")
            #expect(value("one") == "2" && value("two") == "2" && value("three") == before[2])
            #expect(relief.apply(twins) == notices)
            // Killed and started again.
            var next = ReversePathRelief(directory: directory.path, interface: "bond0")
            #expect(next.restore().isEmpty)
            #expect(["one", "two", "three"].map(value) == before)
        }
    }
}
