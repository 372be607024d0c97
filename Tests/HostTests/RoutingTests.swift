import Glibc
import Packet
import Settings
import TestSupport
import Testing

@testable import Host

@Suite(.serialized, .enabled(if: OwnNetwork.isPermitted, "needs root for network namespaces"))
struct RoutingTests {
    /// Two uplinks with far ends: `wire` has the main default route of IPv4, `wwan` one in a table of its own.
    private func uplinks() {
        for (name, far) in [("wire", "router"), ("wwan", "wwanrouter")] {
            OwnNetwork.ip("link add \(name) type veth peer name \(far)")
            OwnNetwork.ip("link set \(far) up")
            OwnNetwork.ip("link set \(name) up")
        }
        OwnNetwork.ip("addr add 192.0.2.2/24 dev wire")
        OwnNetwork.ip("addr add 198.51.100.2/24 dev wwan")
        OwnNetwork.ip("-6 addr add 2001:db8::2/64 dev wwan nodad")
        OwnNetwork.ip("route add default via 192.0.2.1 dev wire metric 100")
        OwnNetwork.ip("route add default via 198.51.100.1 dev wwan table 77")
        OwnNetwork.ip("-6 route add default via fe80::1 dev wwan")
    }

    private func path(_ name: String, slot: UInt32, _ addresses: [String]) -> RoutingPlan.Path {
        RoutingPlan.Path(
            slot: slot, interface: if_nametoindex(name), name: name,
            addresses: addresses.map { IPAddress($0)! },
            endpoints: [IPAddress("203.0.113.7")!, IPAddress("2001:db8:7::7")!], gateways: [])
    }

    private func tunnel(_ name: String = "bond0") -> UInt32 {
        OwnNetwork.ip("tuntap add dev \(name) mode tun")
        OwnNetwork.ip("link set \(name) up")
        return if_nametoindex(name)
    }

    @Test func aPlanIsCarriedOutAndUndone() throws {
        try OwnNetwork.run {
            uplinks()
            let index = tunnel()
            let netlink = try Netlink()
            let before = (Set(try netlink.routes()), try netlink.rules())
            #expect(before.0.contains { $0.table == 77 && $0.gateway == IPAddress("198.51.100.1") })
            #expect(before.1.map(\.priority) == [0, 32766, 32767, 0, 32766])
            var plan = RoutingPlan(tunnel: index)
            plan.paths = [
                path("wire", slot: 1, ["192.0.2.2"]), path("wwan", slot: 2, ["198.51.100.2", "2001:db8::2"]),
            ]
            (plan.ipv4, plan.ipv6) = (.tunnel, .refused)
            (plan.paths[0].number, plan.paths[1].number) = (3, 4)
            plan.paths[1].nameServers = [IPAddress("198.51.100.53")!, IPAddress("2001:db8::53")!]
            let routing = HostRouting(tunnel: index)
            let outcome = try routing.apply(plan, netlink)
            #expect(
                outcome.problems.isEmpty && outcome.changedSlots == [0, 1, 2, RoutingTable.guardSlot],
                "\(outcome)")
            let own = try netlink.routes().filter { $0.origin == NetworkRoute.ownOrigin }
            let table = RoutingTable.number(owner: index, slot: 2)
            let defaults = own.filter { $0.table == table && $0.network.length == 0 }.map(\.gateway)
            #expect(defaults.contains(IPAddress("198.51.100.1")) && defaults.contains(IPAddress("fe80::1")))
            #expect(own.contains { $0.kind == .unreachable && $0.network == .anywhere(.v6) })
            #expect(Set(try netlink.rules()).isSuperset(of: plan.rules))
            // Nothing to do the second time; a removed route is restored.
            #expect(try routing.apply(plan, netlink).changedSlots.isEmpty)
            OwnNetwork.ip("rule flush")
            OwnNetwork.ip("rule add from all lookup main pref 32766")
            OwnNetwork.ip("rule add from all lookup default pref 32767")
            #expect(try routing.apply(plan, netlink).problems.isEmpty)
            #expect(Set(try netlink.rules()).isSuperset(of: plan.rules))
            // A refused family gets its tunnel without a moment in which there is neither.
            plan.ipv6 = .tunnel
            plan.paths[0].gateways = [IPAddress("192.0.2.254")!]
            #expect(try routing.apply(plan, netlink).changedSlots == [0, 1])
            let changed = try netlink.routes()
            #expect(!changed.contains { $0.kind == .unreachable && $0.origin == NetworkRoute.ownOrigin })
            #expect(changed.contains { $0.gateway == IPAddress("192.0.2.254") })
            try routing.clear(netlink)
            #expect(Set(try netlink.routes()) == before.0)
            #expect(try netlink.rules().map(\.priority) == before.1.map(\.priority))
        }
    }

    @Test func whatTheDeadLeftIsRemovedAndTheLivingKeepTheirs() throws {
        try OwnNetwork.run {
            uplinks()
            let (dead, living) = (tunnel("bond0"), tunnel("bond1"))
            let netlink = try Netlink()
            let before = Set(try netlink.routes().filter { $0.interface != dead })
            for (index, slot) in [(dead, 1), (living, 2)] {
                var plan = RoutingPlan(tunnel: index)
                plan.paths = [path("wwan", slot: UInt32(slot), ["198.51.100.2"])]
                (plan.ipv4, plan.ipv6) = (.tunnel, .refused)
                #expect(try HostRouting(tunnel: index).apply(plan, netlink).problems.isEmpty)
            }
            #expect(
                try HostRouting.owners(netlink) == [RoutingTable.short(dead), RoutingTable.short(living)])
            #expect(try HostRouting.clean(netlink) == 0)
            OwnNetwork.ip("link del bond0")
            #expect(try HostRouting.clean(netlink) > 4)
            #expect(try HostRouting.owners(netlink) == [RoutingTable.short(living)])
            #expect(try netlink.routes().contains { $0.kind == .unreachable })
            try HostRouting(tunnel: living).clear(netlink)
            #expect(Set(try netlink.routes()) == before)
            #expect(try netlink.rules().count == 5)
        }
    }

    @Test func changesOfRoutesAndRulesAreTold() throws {
        try OwnNetwork.run {
            uplinks()
            var events = try NetlinkEvents()
            OwnNetwork.ip("route del default via 198.51.100.1 dev wwan table 77")
            OwnNetwork.ip("rule add from 198.51.100.2 lookup 77")
            let read = events.readEvents()
            #expect(
                read.contains { event in
                    if case .routeChanged(if_nametoindex("wwan"), _) = event { true } else { false }
                })
            #expect(read.contains(.ruleChanged))
        }
    }
}
