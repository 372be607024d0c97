import Glibc
import Lab
import Testing

extension EndToEndTests {
    /// Networks behind clients.
    @Suite("LAN") struct LAN {
        /// internet ── wan ── server ── two uplinks each ── boat, office ── lan0 ── a host each
        private struct World {
            let tunnel: Tunnel
            let boat: TunnelClient
            let office: TunnelClient
            let internet: Namespace
            let wan: VethPair
            let hosts: [Namespace]
            let lans: [VethPair]

            /// - Parameter program: the boat's bondd.
            init(boat program: Program? = nil) throws {
                tunnel = try Tunnel(clientProgram: program)
                boat = try tunnel.client("boat", wires: ["fibre", "lte"])
                office = try tunnel.client("office", wires: ["dsl"])
                internet = try tunnel.lab.namespace("internet")
                wan = try tunnel.lab.veth("wan", from: tunnel.server.namespace, to: internet)
                for way in [wan.addresses.ipv4(.server), wan.addresses.ipv6(.server)] {
                    try tunnel.server.namespace.ip("route add default via \(way) dev wan")
                }
                try tunnel.changeServer { $0.nat = "enabled = true" }
                var hosts: [Namespace] = []
                var lans: [VethPair] = []
                for client in [boat, office] {
                    let host = try tunnel.lab.namespace("\(client.bondd.name)'s host")
                    let lan = try tunnel.lab.veth("lan0", from: client.namespace, to: host)
                    for way in [lan.addresses.ipv4(.client), lan.addresses.ipv6(.client)] {
                        try host.ip("route add default via \(way)")
                    }
                    try client.change {
                        $0.routes = ["0.0.0.0/0", "::/0"]
                        $0.lan = ["lan0"]
                    }
                    hosts.append(host)
                    lans.append(lan)
                }
                (self.hosts, self.lans) = (hosts, lans)
            }

            /// A LAN's networks.
            func networks(_ lan: Int) -> [String] {
                let index = lans[lan].addresses.index
                return ["10.\(100 + index).0.0/24", "fd00:\(100 + index)::/64"]
            }

            func addresses(_ pair: VethPair, _ end: LinkEnd) -> [String] {
                [pair.addresses.ipv4(end), pair.addresses.ipv6(end)]
            }

            /// Everything that `[lan]` may change on the boat.
            func host() throws -> String {
                let parameters =
                    "cd /proc/sys/net && grep -s . ipv4/ip_forward ipv?/conf/*/forwarding ipv?/conf/*/accept_redirects"
                return try boat.namespace.run(["nft", "-s", "list", "ruleset"])
                    + boat.namespace.run(["sh", "-c", parameters])
            }
        }

        /// The boat's bondd has its own /etc, as it sets name servers.
        private func program(_ scratch: Scratch) throws -> Program {
            for directory in ["etc", "run"] { mkdir("\(scratch.path)/\(directory)", 0o755) }
            try scratch.write("nameserver 192.0.2.53\n", to: "etc/resolv.conf", mode: 0o644)
            let script = """
                #!/bin/sh
                exec unshare -m sh -c 'mount --bind \(scratch.path)/etc /etc && mount --bind \(scratch.path)/run /run &&
                    exec \(try Program().path) "$@"' sh "$@"
                """
            return Program(path: try scratch.write(script, to: "bondd", mode: 0o755))
        }

        @Test func aLANSharesTheTunnelAndLeavesNothingBehind() throws {
            let scratch = try Scratch()
            let world = try World(boat: try program(scratch))
            defer { world.tunnel.close() }
            try world.boat.change { $0.dns = ["10.77.0.1", "fd77::1"] }
            let before = try world.host()
            try world.tunnel.start()
            let seen = world.addresses(world.wan, .client)
            // The internet sees the server, whichever IP version the LAN's host uses.
            var probes: [TCPProbe] = []
            for (address, server) in zip(world.addresses(world.wan, .server), seen) {
                let probe = try TCPProbe(from: world.hosts[0], to: world.internet, address)
                #expect(probe.peer == server && probe.carries(milliseconds: 2000))
                probes.append(probe)
            }
            // No program on the boat serves names, so queries to its address go to the tunnel's server.
            for (asked, answering) in zip(world.addresses(world.lans[0], .client), ["10.77.0.1", "fd77::1"]) {
                let probe = try TCPProbe(
                    from: world.hosts[0], to: world.tunnel.server.namespace, asked, port: 53,
                    at: (answering, 53))
                #expect(probe.carries(milliseconds: 2000))
            }
            // An uplink dies.
            try world.boat.namespace.ip("link set fibre down")
            for probe in probes {
                #expect(probe.carries(milliseconds: 2000) && probe.carriesBack(milliseconds: 2000))
            }
            // An uplink's neighbor does not reach the LAN, although the boat forwards now.
            let lan = world.addresses(world.lans[0], .server)
            try world.tunnel.server.namespace.ip(
                "route add 10.\(100 + world.lans[0].addresses.index).0.0/24 via 10.101.0.1 dev lte")
            #expect(try PingRun.run(from: world.tunnel.server.namespace, to: lan[0], count: 3).loss == 1)
            // Nor does the other end of the tunnel, as nothing there routes to the LAN.
            #expect(try PingRun.run(from: world.office.namespace, to: lan[0], count: 3).loss == 1)
            // Another program removes the table.
            try world.boat.namespace.run(["nft", "flush", "ruleset"])
            try world.boat.namespace.sysctl("net/ipv4/ip_forward", "0")
            try wait(seconds: 5, "the LAN's way back") {
                let address = world.wan.addresses.ipv4(.server)
                return (try? TCPProbe(from: world.hosts[0], to: world.internet, address))?.peer == seen[0]
            }
            world.boat.bondd.stop()
            try world.boat.namespace.ip("link set fibre up")
            #expect(try world.host() == before)
            // After a kill it leaves the LAN its table, until cleanup.
            try world.boat.bondd.start()
            try world.boat.waitUntilWhole()
            world.boat.bondd.kill()
            #expect(try world.host().contains("table inet bondd_lan"))
            let directory = world.boat.bondd.stateDirectory
            let cleanup = try world.boat.bondd.command([
                "cleanup", "--config", world.boat.bondd.file, "--state-dir", directory,
            ])
            #expect(cleanup.status == .exited(0), "\(cleanup.errors)")
            #expect(try world.host() == before)
        }

        @Test func twoSitesReachEachOtherWithTheirOwnAddresses() throws {
            let world = try World()
            defer { world.tunnel.close() }
            try world.tunnel.changeServer { file in
                for index in 0..<2 { file.clients[index].networks = world.networks(index) }
            }
            try world.tunnel.start()
            for (from, to) in [(0, 1), (1, 0)] {
                let (source, target) = (
                    world.addresses(world.lans[from], .server), world.addresses(world.lans[to], .server)
                )
                for (source, target) in zip(source, target) {
                    let probe = try TCPProbe(from: world.hosts[from], to: world.hosts[to], target)
                    #expect(probe.peer == source && probe.carries(milliseconds: 2000))
                }
            }
            // The internet still sees the server.
            let probe = try TCPProbe(
                from: world.hosts[0], to: world.internet, world.wan.addresses.ipv4(.server))
            #expect(probe.peer == world.wan.addresses.ipv4(.client))
            // The server's own programs reach the hosts, too.
            let host = world.lans[0].addresses.ipv4(.server)
            #expect(try PingRun.run(from: world.tunnel.server.namespace, to: host, count: 5).loss == 0)
            // A client may only send from its networks.
            let drops = try world.tunnel.server.status().drops["foreign_source"] ?? 0
            try world.boat.namespace.ip("addr add 10.99.0.1/32 dev lo")
            let spoof = try world.boat.namespace.spawn([
                "ping", "-c", "3", "-i", "0.2", "-W", "1", "-I", "10.99.0.1", Tunnel.serverAddress,
            ])
            try spoof.wait(seconds: 10)
            #expect(try world.tunnel.server.status().drops["foreign_source"] ?? 0 >= drops + 3)
            // A network is removed at run time.
            try world.tunnel.changeServer { $0.clients[0].networks = [] }
            world.tunnel.server.signal(SIGHUP)
            try wait(seconds: 5, "the network's end") {
                try PingRun.run(from: world.tunnel.server.namespace, to: host, count: 1).loss == 1
            }
            let routes = try world.tunnel.server.namespace.ip("route show dev bond0")
            #expect(
                !routes.contains(world.networks(0)[0]) && routes.contains(world.networks(1)[0]), "\(routes)")
        }
    }
}
