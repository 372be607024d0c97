import Glibc
import Packet
import Scratch
import Settings
import Testing

@testable import Control

@Suite("Firewall", .enabled(if: OwnNetwork.isPermitted, "needs root"))
struct FirewallTests {
    private let networks = [CIDR("10.77.0.1/24")!, CIDR("fd77::1/64")!]

    /// The ruleset as nft shows it, without the values of counters.
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
                    		iifname "bond0" oifname "bond0" accept
                    		oifname "bond0" ct status dnat accept
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
            try socket.replace(.killSwitch(interface: "bond0", endpoints: endpoints, allowsNames: true))
            #expect(
                ruleset == """
                    table inet bondd_killswitch {
                    	chain output {
                    		type filter hook output priority 200; policy accept;
                    		oifname "lo" accept
                    		oifname "bond0" accept
                    		meta mark & 0x0000ffff == 0x0000b0dd ip daddr 203.0.113.7 udp dport 5000 accept
                    		meta mark & 0x0000ffff == 0x0000b0dd ip6 daddr 2001:db8::7 udp dport 5001 accept
                    		meta nfproto ipv4 udp sport 68 udp dport 67 accept
                    		meta nfproto ipv4 udp sport 67 udp dport 68 accept
                    		meta nfproto ipv6 udp sport 546 udp dport 547 accept
                    		meta nfproto ipv6 udp sport 547 udp dport 546 accept
                    		icmpv6 type 130-136 accept
                    		icmpv6 type mld2-listener-report accept
                    		udp dport 53 accept
                    		tcp dport 53 accept
                    		meta l4proto tcp counter reject with tcp reset comment "bondd: outside the tunnel"
                    		counter reject with icmpx admin-prohibited comment "bondd: outside the tunnel"
                    	}

                    	chain forward {
                    		type filter hook forward priority 200; policy accept;
                    		oifname "bond0" accept
                    		iifname "bond0" accept
                    		meta l4proto tcp counter reject with tcp reset comment "bondd: outside the tunnel"
                    		counter reject with icmpx admin-prohibited comment "bondd: outside the tunnel"
                    	}
                    }

                    """)
        }
    }

    /// Whatever is there before, of ours or of others: afterwards there is the new table and what others had.
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

    /// All or nothing: a table that the kernel refuses leaves the one that was there.
    @Test func aRefusedTableChangesNothing() throws {
        try OwnNetwork.run {
            let socket = try FirewallSocket()
            let good = FirewallTable.nat(interface: "bond0", networks: networks, egress: ["eth0"], opened: [])
            try socket.replace(good)
            let before = ruleset
            // Masquerading is for chains of nat alone.
            let bad = FirewallTable(
                name: good.name,
                chains: [
                    FirewallChain(
                        name: "forward", kind: .filter, hook: .forward, priority: 0,
                        rules: [FirewallRule().into("eth0").masqueraded])
                ])
            #expect(throws: ControlError.self) { try socket.replace(bad) }
            #expect(ruleset == before && socket.holds(good))
            let many = FirewallTable.nat(
                interface: "bond0", networks: networks, egress: (0..<500).map { "eth\($0)" }, opened: [])
            #expect(
                throws: ControlError.firewall("build a firewall table of that many rules", errno: EMSGSIZE)
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
            let socket = try FirewallSocket()
            #expect(try socket.liftKillSwitches() == [])
            for interface in ["bond0", "tun7"] {
                try socket.replace(.killSwitch(interface: interface, endpoints: [], allowsNames: false))
            }
            try socket.replace(.nat(interface: "killswitch", networks: networks, egress: [], opened: []))
            #expect(
                try socket.liftKillSwitches().sorted() == ["bondd_killswitch", "bondd_killswitch.tun7"])
            #expect(try socket.inetTables() == ["bondd.killswitch"])
        }
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
            // Carriers and their routes come in their own time.
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
