import Glibc
import Lab
import Testing

extension EndToEndTests {
    /// A server whose clients reach the internet through it, and the state it leaves behind.
    @Suite("NAT", .lane(.waiting)) struct NAT {
        /// internet host ── wan ── server ── two uplinks ── client
        private struct World {
            let tunnel: Tunnel
            let client: TunnelClient
            let internet: Namespace
            let wan: VethPair

            var server: Bondd { tunnel.server }
            /// The internet host's addresses, and the server's as it sees them.
            var ways: [(to: String, seen: String)] {
                let addresses = wan.addresses
                return [
                    (addresses.ipv4(.server), addresses.ipv4(.client)),
                    (addresses.ipv6(.server), addresses.ipv6(.client)),
                ]
            }

            init(nat: String) throws {
                tunnel = try Tunnel()
                client = try tunnel.client("laptop", wires: ["fibre", "lte"])
                internet = try tunnel.lab.namespace("internet")
                wan = try tunnel.lab.veth("wan", from: tunnel.server.namespace, to: internet)
                try client.change { $0.routes = ["0.0.0.0/0", "::/0"] }
                try tunnel.changeServer { $0.nat = nat }
                try addDefaultRoutes()
            }

            func addDefaultRoutes() throws {
                for way in ways { try server.namespace.ip("route add default via \(way.to) dev wan") }
            }

            /// Restarts the server after a kill, and waits until the client is back.
            func restart() throws {
                try server.start()
                try server.wait(for: "the client") { $0.session("laptop")?.state == "up" }
            }

            /// Everything that `[nat]` may change on the server.
            func host() throws -> [String] {
                let parameters =
                    "cd /proc/sys/net && grep -s . ipv4/ip_forward ipv?/conf/*/forwarding ipv?/conf/*/accept_redirects ipv6/conf/*/accept_ra"
                return [
                    try server.namespace.run(["nft", "-s", "list", "ruleset"]),
                    try server.namespace.run(["sh", "-c", parameters]),
                    try server.namespace.run(["ip", "-4", "route", "show", "table", "all"]),
                    try server.namespace.run(["ip", "-6", "route", "show", "table", "all"]),
                ]
            }

            /// Checks that the internet host sees the server, over both IP versions.
            func reachesTheInternet() throws {
                for way in ways {
                    let probe = try TCPProbe(from: client.namespace, to: internet, way.to)
                    #expect(probe.peer == way.seen && probe.carries(milliseconds: 2000))
                }
            }

            func problems() throws -> [String] { try server.status().problems ?? [] }

            func ruleset() throws -> String { try server.namespace.run(["nft", "-s", "list", "ruleset"]) }
        }

        private func inWorld(nat: String = "enabled = true", _ body: (World) throws -> Void) throws {
            let world = try World(nat: nat)
            defer { world.tunnel.close() }
            try body(world)
        }

        private func expectSame(_ now: [String], _ before: [String]) {
            for (now, before) in zip(now, before) where now != before {
                let (new, old) = (Set(now.split(separator: "\n")), Set(before.split(separator: "\n")))
                Issue.record("came: \(new.subtracting(old).sorted()), went: \(old.subtracting(new).sorted())")
            }
        }

        @Test func clientsReachTheInternetAndNothingStays() throws {
            try inWorld { world in
                try world.server.namespace.run(["nft", "add", "table", "ip", "others"])
                let before = try world.host()
                try world.tunnel.start()
                try world.reachesTheInternet()
                #expect(try world.problems() == [])
                let text = try world.server.command(["status"]).output
                #expect(text.contains("nat: clients leave by wan"), "\(text)")
                #expect(try world.host() != before)
                // An egress link with a smaller MTU than the tunnel: segments are clamped to fit.
                try world.server.namespace.ip("link set wan mtu 1300")
                for (way, header) in zip(world.ways, [40, 60]) {
                    let probe = try TCPProbe(from: world.client.namespace, to: world.internet, way.to)
                    #expect(probe.segmentSize > 1000 && probe.segmentSize <= 1300 - Int32(header))
                }
                try world.server.namespace.ip("link set wan mtu 1500")
                // The server's own network is not open to its neighbors.
                try world.internet.ip("route add 10.77.0.0/24 via \(world.ways[0].seen)")
                #expect(throws: TCPProbe.Refused.self) {
                    try TCPProbe(from: world.internet, to: world.client.namespace, world.client.address)
                }
                let ruleset = try world.ruleset()
                world.server.signal(SIGHUP)
                try wait(seconds: 2, "a reload") { world.server.log.contains("is reloaded") }
                #expect(try world.ruleset() == ruleset)
                try world.reachesTheInternet()
                // Switched off by a reload, and on again.
                try world.tunnel.changeServer { $0.nat = "enabled = false" }
                world.server.signal(SIGHUP)
                try wait(seconds: 2, "the end of NAT") { try !world.ruleset().contains("bondd") }
                try world.tunnel.changeServer { $0.nat = "egress = [\"wan\"]" }
                world.server.signal(SIGHUP)
                try wait(seconds: 2, "the rules") { try world.ruleset() == ruleset }
                try world.reachesTheInternet()
                #expect(world.server.stop() == .exited(0))
                try expectSame(world.host(), before)
            }
        }

        @Test func killedItIsRepairedAndNothingStays() throws {
            try inWorld { world in
                let before = try world.host()
                try world.tunnel.start()
                let ruleset = try world.ruleset()
                for _ in 0..<2 {
                    world.server.kill()
                    #expect(try world.ruleset() == ruleset)
                    try world.restart()
                    #expect(try world.ruleset() == ruleset)
                }
                try world.reachesTheInternet()
                world.server.stop()
                try expectSame(world.host(), before)
                // Also if the next run has no NAT.
                try world.restart()
                world.server.kill()
                #expect(try world.host() != before)
                try world.tunnel.changeServer { $0.nat = nil }
                try world.restart()
                world.server.stop()
                try expectSame(world.host(), before)
            }
        }

        @Test func whatOthersRemoveIsPutBack() throws {
            try inWorld { world in
                try world.tunnel.start()
                let ruleset = try world.ruleset()
                try world.server.namespace.run(["nft", "flush", "ruleset"])
                try wait(seconds: 1.5, "the table") { try world.ruleset() == ruleset }
                try world.reachesTheInternet()
                usleep(1_000_000)
                try world.server.namespace.sysctl("net/ipv6/conf/all/forwarding", "0")
                usleep(1_500_000)
                try world.reachesTheInternet()
                // A client that does this repeatedly gets answers ever more rarely.
                for _ in 0..<20 {
                    try world.server.namespace.run(["nft", "flush", "ruleset"])
                    usleep(100_000)
                }
                let repairs = world.server.log.split(separator: "\n").filter { $0.contains("it is restored") }
                #expect((1...3).contains(repairs.count), "\(repairs)")
                try wait(seconds: 5, "the table") { try world.ruleset() == ruleset }
            }
        }

        @Test func defaultRoutesAreFollowed() throws {
            try inWorld { world in
                try world.tunnel.start()
                for way in world.ways {
                    try world.server.namespace.ip("route del default via \(way.to) dev wan")
                }
                try wait(seconds: 1, "a problem") {
                    try world.problems().contains { $0.contains("no default route") }
                }
                #expect(try !world.ruleset().contains("masquerade"))
                try world.addDefaultRoutes()
                try wait(seconds: 1, "the end of it") { try world.problems() == [] }
                try world.reachesTheInternet()
            }
        }

        /// A server whose own default route comes from router advertisements, which forwarding hosts ignore unless
        /// told otherwise: the route stays, before, during and after.
        @Test func anAdvertisedDefaultRouteStays() throws {
            try inWorld { world in
                try world.server.namespace.ip("route del default via \(world.ways[1].to) dev wan")
                try world.internet.ip("addr add fe80::1/64 dev \(world.wan.interface(.server)) nodad")
                try advertise(from: world.internet, by: world.wan.interface(.server))
                func route() throws -> Bool {
                    let routes = try world.server.namespace.run(["ip", "-6", "route", "show", "default"])
                    return routes.contains("via fe80::1 dev wan proto ra")
                }
                try wait(seconds: 2, "an advertised route", until: route)
                // The kernel's behavior without bondd.
                try world.server.namespace.sysctl("net/ipv6/conf/all/forwarding", "1")
                #expect(try !route())
                try world.server.namespace.sysctl("net/ipv6/conf/all/forwarding", "0")
                try advertise(from: world.internet, by: world.wan.interface(.server))
                try wait(seconds: 2, "an advertised route", until: route)
                try world.tunnel.start()
                #expect(try route())
                world.server.kill()
                try world.restart()
                #expect(try route())
                world.server.stop()
                #expect(try route())
            }
        }

        /// Sends a router advertisement (RFC 4861, 4.2): hop limit 64, valid for half an hour.
        private func advertise(from namespace: Namespace, by interface: String) throws {
            let message: [UInt8] = [134, 0, 0, 0, 64, 0, 0x07, 0x08] + [UInt8](repeating: 0, count: 8)
            let sent = namespace.inside {
                let router = socket(AF_INET6, Int32(SOCK_RAW.rawValue), Int32(IPPROTO_ICMPV6))
                defer { close(router) }
                var (hops, index) = (Int32(255), Int32(if_nametoindex(interface)))
                setsockopt(router, Int32(IPPROTO_IPV6), IPV6_MULTICAST_HOPS, &hops, 4)
                setsockopt(router, Int32(IPPROTO_IPV6), IPV6_MULTICAST_IF, &index, 4)
                var all = sockaddr_in6()
                all.sin6_family = sa_family_t(AF_INET6)
                all.sin6_scope_id = UInt32(index)
                inet_pton(AF_INET6, "ff02::1", &all.sin6_addr)
                return withUnsafeBytes(of: all) {
                    sendto(
                        router, message, message.count, 0,
                        $0.baseAddress!.assumingMemoryBound(to: sockaddr.self), socklen_t($0.count))
                }
            }
            #expect(sent == message.count, "errno \(errno)")
        }

        /// A host that already forwards for others does not let its neighbors into the tunnel, unless told to.
        @Test func neighboursStayOutOfTheTunnel() throws {
            try inWorld { world in
                for key in ["net/ipv4/ip_forward", "net/ipv6/conf/all/forwarding"] {
                    try world.server.namespace.sysctl(key, "1")
                }
                try world.tunnel.start()
                try world.reachesTheInternet()
                let inside = [
                    ("10.77.0.0/24", world.client.address), ("fd77::/64", world.client.address6),
                ]
                for (way, (network, address)) in zip(world.ways, inside) {
                    try world.internet.ip("route add \(network) via \(way.seen)")
                    #expect(throws: TCPProbe.Refused.self) {
                        try TCPProbe(from: world.internet, to: world.client.namespace, address)
                    }
                }
                // A port translated to a client is open.
                let ports = [
                    "add table inet own",
                    "add chain inet own in { type nat hook prerouting priority dstnat; }",
                    "add rule inet own in iifname wan tcp dport 8080 dnat ip to \(world.client.address)",
                ]
                try world.server.namespace.run(["nft", ports.joined(separator: "; ")])
                let translated = try TCPProbe(
                    from: world.internet, to: world.client.namespace, world.ways[0].seen,
                    at: (world.client.address, 8080))
                #expect(translated.carries(milliseconds: 2000))
                try world.tunnel.changeServer { $0.nat = "enabled = true\nallow_inbound = true" }
                world.server.signal(SIGHUP)
                try wait(seconds: 2, "a reload") { world.server.log.contains("is reloaded") }
                for (_, address) in inside {
                    let probe = try TCPProbe(from: world.internet, to: world.client.namespace, address)
                    #expect(probe.carries(milliseconds: 2000))
                }
                // Others rely on forwarding, which was off before: it stays on.
                #expect(world.server.stop() == .exited(0))
                try world.server.namespace.sysctl("net/ipv4/ip_forward", "0")
                try world.restart()
                try world.server.namespace.ip("tuntap add dev tailscale0 mode tun")
                try world.server.namespace.ip("link set tailscale0 up")
                world.server.stop()
                #expect(
                    try world.server.namespace.run(["cat", "/proc/sys/net/ipv4/ip_forward"]) == "1\n")
                #expect(world.server.log.contains("forwarding stays on, because the interface tailscale0"))
            }
        }

        @Test func anotherFirewallIsNamed() throws {
            try inWorld { world in
                let docker = """
                    table ip filter {
                      chain DOCKER-USER { return; }
                      chain FORWARD { type filter hook forward priority filter; policy drop; jump DOCKER-USER; }
                    }

                    """
                let rules = try world.server.scratch.write(docker, to: "docker.nft")
                try world.server.namespace.run(["nft", "-f", rules])
                try world.tunnel.start()
                let problem = try #require(try world.problems().first)
                #expect(
                    problem.contains("Docker's firewall")
                        && problem.contains("DOCKER-USER -i bond0 -j ACCEPT"))
                #expect(try world.server.command(["status"]).output.contains("problem: \(problem)"))
                #expect(throws: TCPProbe.Refused.self) {
                    try TCPProbe(from: world.client.namespace, to: world.internet, world.ways[0].to)
                }
                for rule in ["iifname bond0", "oifname bond0 ct state established,related"] {
                    let words = "insert rule ip filter DOCKER-USER \(rule) accept".split(separator: " ")
                    try world.server.namespace.run(["nft"] + words.map(String.init))
                }
                try wait(seconds: 2, "the end of the problem") { try world.problems() == [] }
                try world.reachesTheInternet()
                // A firewall that keeps clients from reaching the server at all.
                let input = """
                    table inet fw {
                      chain in { type filter hook input priority filter; policy drop; ct state established,related accept; }
                    }

                    """
                let deny = try world.server.scratch.write(input, to: "input.nft")
                try world.server.namespace.run(["nft", "-f", deny])
                try wait(seconds: 2, "a problem") {
                    try world.problems().contains {
                        $0.contains("UDP port 5000")
                            && $0.contains("run: nft insert rule inet fw in udp dport 5000 accept")
                    }
                }
                let allow = "insert rule inet fw in udp dport 5000 accept"
                try world.server.namespace.run(["nft"] + allow.split(separator: " ").map(String.init))
                try wait(seconds: 2, "the end of it") { try world.problems() == [] }
            }
        }
    }
}
