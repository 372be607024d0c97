import Glibc
import Packet
import Settings
import TestSupport
import Testing

@testable import Host

@Suite("Firewall", .enabled(if: OwnNetwork.isPermitted, "needs root"))
struct FirewallTests {
    private let networks = [CIDR("10.77.0.1/24")!, CIDR("fd77::1/64")!]

    /// The ruleset as shown by nft, without the values of counters.
    private var ruleset: String {
        // Versions of nft differ in how they write flags.
        OwnNetwork.output("nft -s list ruleset").replacing(
            "flags syn / syn,rst", with: "flags & (syn | rst) == syn")
    }

    private func nft(_ commands: String) {
        let directory = TemporaryDirectory()
        directory.file("rules.nft", commands)
        OwnNetwork.run("nft", "-f \(directory.path)/rules.nft")
    }

    // MARK: Tables

    @Test func aServersTable() throws {
        try OwnNetwork.run {
            let socket = try FirewallSocket()
            try socket.replace(.nat(interface: "bond0", networks: networks, egress: ["eth0"], opened: [.v6]))
            #expect(
                ruleset == """
                    table inet bondd {
                    	chain postrouting {
                    		type nat hook postrouting priority srcnat; policy accept;
                    		ip saddr 10.77.0.0/24 oifname "eth0" masquerade
                    		ip6 saddr fd77::/64 oifname "eth0" masquerade
                    	}

                    	chain forward {
                    		type filter hook forward priority filter; policy accept;
                    		iifname "bond0" tcp flags & (syn | rst) == syn tcp option maxseg size set rt mtu
                    		oifname "bond0" tcp flags & (syn | rst) == syn tcp option maxseg size set rt mtu
                    		ip saddr 10.77.0.0/24 iifname "bond0" oifname "eth0" counter accept comment "bondd: clients to outside"
                    		ip6 saddr fd77::/64 iifname "bond0" oifname "eth0" counter accept comment "bondd: clients to outside"
                    		iifname "eth0" oifname "bond0" ct state established,related counter accept comment "bondd: answers to clients"
                    		oifname "bond0" ct status dnat accept
                    		iifname "eth0" oifname "bond0" counter drop comment "bondd: no way in"
                    		iifname "bond0" oifname "bond0" accept
                    		iifname "bond0" ct state established,related accept
                    		meta nfproto ipv6 iifname "bond0" counter drop comment "bondd: no way out"
                    		meta nfproto ipv6 oifname "bond0" counter drop comment "bondd: no way in"
                    	}
                    }

                    """)
        }
    }

    @Test func aClientsTable() throws {
        try OwnNetwork.run {
            let socket = try FirewallSocket()
            let endpoints = [Endpoint("203.0.113.7:5000")!, Endpoint("[2001:db8::7]:5001")!]
            let network = LocalNetwork(
                interface: "eth1", network: CIDR("192.168.5.0/24")!, beyond: [CIDR("192.168.5.64/26")!])
            let table = FirewallTable.killSwitch(
                KillSwitch(
                    interface: "bond0", endpoints: endpoints, allowsNames: true, networks: [network],
                    others: [KillSwitch.Tunnel(interface: "bond1", endpoints: [endpoints[0]])]))
            try socket.replace(table)
            let allowed = """
                		oifname "lo" accept
                		oifname "bond0" accept
                		oifname "bond1" accept
                		meta mark & 0x0000ffff == 0x0000b0dd ip daddr 203.0.113.7 udp dport 5000 accept comment "bondd: server 203.0.113.7:5000"
                		meta mark & 0x0000ffff == 0x0000b0dd ip6 daddr 2001:db8::7 udp dport 5001 accept comment "bondd: server [2001:db8::7]:5001"
                		meta mark & 0x0000ffff == 0x0000b0dd ip daddr 203.0.113.7 udp dport 5000 accept comment "bondd: server of bond1"
                		meta mark & 0x0000ffff == 0x0000b0dd ip daddr 203.0.113.7 meta l4proto tcp accept
                		meta mark & 0x0000ffff == 0x0000b0dd ip daddr 203.0.113.7 icmp type echo-request accept
                		meta mark & 0x0000ffff == 0x0000b0dd ip6 daddr 2001:db8::7 meta l4proto tcp accept
                		meta mark & 0x0000ffff == 0x0000b0dd ip6 daddr 2001:db8::7 icmpv6 type echo-request accept
                		meta mark & 0x0000ffff == 0x0000b0dd udp dport 53 accept
                		meta mark & 0x0000ffff == 0x0000b0dd tcp dport 53 accept
                		meta nfproto ipv4 udp sport 68 udp dport 67 accept
                		meta nfproto ipv4 udp sport 67 udp dport 68 accept
                		meta nfproto ipv6 udp sport 546 udp dport 547 accept
                		meta nfproto ipv6 udp sport 547 udp dport 546 accept
                		icmpv6 type 130-136 accept
                		icmpv6 type mld2-listener-report accept

                """
            let local = """
                		oifname "eth1" ip daddr 192.168.5.0/24 ip daddr != 192.168.5.64/26 accept
                		oifname "eth1" ip daddr 224.0.0.0/24 accept
                		oifname "eth1" ip daddr 239.255.255.250 accept
                		oifname "eth1" ip daddr 255.255.255.255 accept

                """
            let names = "\t\tudp dport 53 accept\n\t\ttcp dport 53 accept\n"
            let refusal = """
                		meta l4proto tcp counter reject with tcp reset comment "bondd: outside the tunnel"
                		counter reject with icmpx admin-prohibited comment "bondd: outside the tunnel"

                """
            #expect(
                ruleset == """
                    table inet bondd_killswitch {
                    	chain output {
                    		type filter hook output priority 200; policy accept;
                    \(allowed)\(local)\(names)		meta mark != 0x00000000 accept
                    		ct status dnat accept
                    \(refusal)	}

                    	chain forward {
                    		type filter hook forward priority 200; policy accept;
                    		oifname "bond0" accept
                    		iifname "bond0" accept
                    		oifname "bond1" accept
                    		iifname "bond1" accept
                    \(local)\(refusal)	}

                    	chain postrouting {
                    		type filter hook postrouting priority 200; policy accept;
                    \(allowed)\(local)\(names)		iifname "bond0" accept
                    		iifname "bond1" accept
                    		counter drop comment "bondd: outside the tunnel"
                    	}
                    }

                    """)
            #expect(socket.holds(table) == true)
            #expect(
                try socket.killSwitches() == [KillSwitch.Tunnel(interface: "bond0", endpoints: endpoints)])
        }
    }

    /// Regardless of existing tables, bondd's or others': afterwards there is the new table, and the others are
    /// unchanged.
    @Test func replacingAndRemoving() throws {
        try OwnNetwork.run {
            nft("table ip others { chain c { type filter hook input priority 0; tcp dport 22 accept; }; }")
            let before = ruleset
            let socket = try FirewallSocket()
            let first = FirewallTable.nat(
                interface: "bond0", networks: networks, egress: ["eth0"], opened: [])
            let second = FirewallTable.nat(
                interface: "bond0", networks: networks, egress: ["eth1", "wwan0"], opened: [.v4])
            let other = FirewallTable.nat(interface: "b-1:2", networks: networks, egress: [], opened: [])
            #expect(try !socket.remove(table: first.name) && ruleset == before)
            try socket.replace(first)
            let once = ruleset
            try socket.replace(first)
            #expect(ruleset == once && socket.holds(first))
            try socket.replace(other)
            try socket.replace(second)
            #expect(ruleset.contains("wwan0") && !ruleset.contains("eth0") && other.name == "bondd.b-1.3a2")
            #expect(socket.holds(second) && !socket.holds(first) && socket.holds(other))
            #expect(try socket.remove(table: second.name) && socket.remove(table: other.name))
            #expect(ruleset == before)
        }
    }

    /// All or nothing: if the kernel refuses a table, the previous one stays.
    @Test func aRefusedTableChangesNothing() throws {
        try OwnNetwork.run {
            let socket = try FirewallSocket()
            let good = FirewallTable.nat(interface: "bond0", networks: networks, egress: ["eth0"], opened: [])
            try socket.replace(good)
            let before = ruleset
            // Masquerading is only permitted in chains of type nat.
            let bad = FirewallTable(
                name: good.name,
                chains: [
                    FirewallChain(
                        name: "forward", kind: .filter, hook: .forward, priority: 0,
                        rules: [FirewallRule().into("eth0").masqueraded])
                ])
            #expect(throws: HostError.self) { try socket.replace(bad) }
            #expect(ruleset == before && socket.holds(good))
            let many = FirewallTable.nat(
                interface: "bond0", networks: networks, egress: (0..<500).map { "eth\($0)" }, opened: [])
            #expect(
                throws: HostError.firewall("build a firewall table of that many rules", errno: EMSGSIZE)
            ) {
                try socket.replace(many)
            }
            #expect(ruleset == before)
        }
    }

    @Test(arguments: [
        "flush ruleset", "flush table inet bondd", "delete table inet bondd",
        "flush chain inet bondd forward",
        "add rule inet bondd forward drop",
        // As many rules as before, but different ones.
        """
        flush chain inet bondd postrouting
        add rule inet bondd postrouting accept
        add rule inet bondd postrouting accept
        """,
    ])
    func whatOthersDoIsSeen(command: String) throws {
        try OwnNetwork.run {
            let socket = try FirewallSocket()
            let table = FirewallTable.nat(
                interface: "bond0", networks: networks, egress: ["eth0"], opened: [])
            try socket.replace(table)
            var events = try FirewallEvents()
            #expect(!events.read().ofRuleset && socket.holds(table))
            nft(command)
            #expect(events.read().ofRuleset && !socket.holds(table))
            try socket.replace(table)
            #expect(socket.holds(table) == true)
        }
    }

    @Test func killSwitchesAreLiftedByName() throws {
        try OwnNetwork.run {
            let directory = TemporaryDirectory()
            func lift() throws -> [String] {
                try FirewallSocket().liftKillSwitches(directory: directory.path).sorted()
            }
            let socket = try FirewallSocket()
            #expect(try lift() == [])
            for interface in ["bond0", "tun.7"] {
                try socket.replace(.killSwitch(KillSwitch(interface: interface, endpoints: [])))
            }
            try KillSwitchMarker(interface: "bond0", file: "/a", endpoints: [], allowsLAN: false)
                .write(to: directory.path)
            try socket.replace(.nat(interface: "killswitch", networks: networks, egress: [], opened: []))
            #expect(try socket.killSwitches().map(\.interface) == ["bond0", "tun.7"])
            #expect(try lift() == ["bondd_killswitch", "bondd_killswitch.tun.2e7"])
            #expect(try socket.inetTables() == ["bondd.killswitch"])
            #expect(KillSwitchMarker.all(in: directory.path).isEmpty)
        }
    }

    /// Tables of tunnels that no longer exist are removed, whatever the present one is called; those of others
    /// stay.
    @Test func whatATunnelHasLeftIsFound() throws {
        try OwnNetwork.run {
            let socket = try FirewallSocket()
            OwnNetwork.ip("tuntap add dev tun1 mode tun")
            for interface in ["bond0", "tun1", "old"] {
                try socket.replace(.nat(interface: interface, networks: networks, egress: [], opened: []))
                try socket.replace(.killSwitch(KillSwitch(interface: interface, endpoints: [])))
            }
            nft("table inet bondd_notes { }")
            #expect(try socket.clean("bond0").sorted() == ["bondd", "bondd.old"])
            #expect(
                try socket.inetTables().sorted() == [
                    "bondd.tun1", "bondd_killswitch", "bondd_killswitch.old", "bondd_killswitch.tun1",
                    "bondd_notes",
                ])
        }
    }

    @Test func aKillSwitchIsRemembered() throws {
        let directory = TemporaryDirectory()
        #expect(KillSwitchMarker.all(in: directory.path + "/none").isEmpty)
        let file = "\(directory.path)/bondd.toml"
        let markers = ["bond0", "bond1"].map {
            KillSwitchMarker(
                interface: $0, file: file, endpoints: [Endpoint("[2001:db8::1]:5000")!],
                allowsLAN: $0 == "bond1")
        }
        for marker in markers { try marker.write(to: directory.path) }
        #expect(KillSwitchMarker.all(in: directory.path) == markers)
        #expect(markers[0].isOf(file) && !markers[0].isOf("/etc/bondd/bondd.toml"))
        markers[0].remove(from: directory.path)
        #expect(KillSwitchMarker.all(in: directory.path) == [markers[1]])
        // A damaged one still closes, for whichever configuration cannot be read.
        directory.file("bond1.killswitch", "\u{0}file\nendpoint x\n")
        let damaged = KillSwitchMarker.all(in: directory.path)
        #expect(damaged.map(\.interface) == ["bond1"] && damaged[0].endpoints.isEmpty)
        #expect(damaged[0].isOf(file))
    }

    // MARK: The host's own networks

    @Test func ownNetworksAreThoseOnTheLink() {
        func link(_ index: UInt32, _ name: String, kind: String? = nil, hardware: UInt16 = 1)
            -> NetworkInterface
        {
            NetworkInterface(
                index: index, name: name, mtu: 1500, isUp: index != 4, hasCarrier: true, kind: kind,
                hardware: hardware)
        }
        func route(_ network: String, _ interface: UInt32, via gateway: String? = nil, metric: UInt32 = 0)
            -> NetworkRoute
        {
            var route = NetworkRoute(
                table: NetworkRoute.mainTable, network: CIDR(network)!, interface: interface)
            (route.gateway, route.metric) = (gateway.flatMap { IPAddress($0) }, metric)
            return route
        }
        let links = [
            link(1, "lo", hardware: 772), link(2, "eth0"), link(3, "br0", kind: "bridge"), link(4, "eth1"),
            link(5, "ppp0", hardware: 512), link(6, "wg0", kind: "wireguard", hardware: 65534),
            link(7, "tap0", kind: "tun"), link(8, "bond0", kind: "tun", hardware: 65534),
        ]
        var own = route("10.9.0.0/16", 2)
        own.origin = NetworkRoute.ownOrigin
        let routes = [
            own, route("0.0.0.0/0", 2, via: "192.168.1.1"), route("192.168.1.0/24", 2),
            // Beyond a router, in whole or in part.
            route("10.1.0.0/16", 2, via: "192.168.1.9"), route("192.168.1.64/26", 2, via: "192.168.1.9"),
            route("172.20.0.0/16", 3), route("172.20.0.0/16", 3, via: "192.168.1.9", metric: 7),
            // Public, a provider's, and other tunnels'.
            route("203.0.113.0/24", 2), route("100.64.0.0/10", 2), route("10.64.64.64/32", 5),
            route("10.8.0.0/24", 6), route("10.8.1.0/24", 7), route("10.77.0.0/24", 8),
            route("10.2.0.0/16", 4), route("fd00:1::/64", 3), route("2001:db8::/64", 3),
        ]
        let found = LocalNetwork.find(in: links, routes: routes, besides: "bond0")
        let wanted = [
            ("br0", "172.20.0.0/16", []), ("br0", "fd00:1::/64", []), ("br0", "fe80::/64", []),
            ("eth0", "192.168.1.0/24", ["192.168.1.64/26"]), ("eth0", "fe80::/64", []),
            ("eth1", "10.2.0.0/16", [String]()),
        ]
        #expect(
            found
                == wanted.map {
                    LocalNetwork(interface: $0, network: CIDR($1)!, beyond: $2.compactMap { CIDR($0) })
                })
    }

    // MARK: Default routes

    @Test func defaultRoutes() throws {
        try OwnNetwork.run {
            for name in ["eth0", "eth1", "eth2", "bond0"] {
                OwnNetwork.ip("link add \(name) type veth peer name \(name)far")
                OwnNetwork.ip("link set \(name) up")
                OwnNetwork.ip("link set \(name)far up")
            }
            #expect(try Netlink().defaultInterfaces(except: "bond0").isEmpty)
            OwnNetwork.ip("addr add 192.0.2.1/24 dev eth0")
            // Carriers and their routes take a while.
            usleep(300_000)
            var events = try FirewallEvents()
            OwnNetwork.ip("route add 198.51.100.0/24 via 192.0.2.9")
            #expect(!events.read().ofForwarding)
            OwnNetwork.ip("route add default via 192.0.2.9 metric 5")
            OwnNetwork.ip("-6 route add default dev eth1 metric 7")
            OwnNetwork.ip("route add default dev bond0")
            OwnNetwork.ip("route add default dev eth2 table 52")
            #expect(events.read().ofForwarding)
            #expect(try Netlink().defaultInterfaces(except: "bond0") == ["eth0", "eth1"])
            OwnNetwork.ip("route add default metric 9 nexthop dev eth0 nexthop dev eth2")
            #expect(try Netlink().defaultInterfaces(except: "bond0") == ["eth0", "eth1", "eth2"])
        }
    }

    // MARK: Memory of addresses

    @Test func addressesAreRemembered() throws {
        let directory = TemporaryDirectory()
        let name = HostPort("vpn.example.org:5000")!
        var memory = EndpointMemory(directory: directory.path, interface: "bond0")
        #expect(memory.endpoints(of: name).isEmpty)
        #expect(memory.endpoints(of: HostPort("192.0.2.1:5")!) == [Endpoint("192.0.2.1:5")!])
        let (first, second) = (Endpoint("192.0.2.1:5000")!, Endpoint("[2001:db8::1]:5000")!)
        #expect(try memory.learn([first], of: name) && !memory.learn([first], of: name))
        #expect(try memory.learn([second], of: name))
        for _ in 0..<2 {
            #expect(memory.endpoints(of: name) == [second, first])
            memory = EndpointMemory(directory: directory.path, interface: "bond0")
        }
        #expect(EndpointMemory(directory: directory.path, interface: "bond1").endpoints(of: name).isEmpty)
        directory.file("bond0.endpoints", "vpn.example.org:5000 192.0.2.1:6 x\n\u{0}\nvpn 1 2 3\n")
        #expect(
            EndpointMemory(directory: directory.path, interface: "bond0").endpoints(of: name).isEmpty)
    }
}
