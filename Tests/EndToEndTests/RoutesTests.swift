import Glibc
import Lab
import Testing

extension EndToEndTests {
    /// A client's changes to its host's routes and rules.
    @Suite("Routes", .lane(.waitingToo)) struct Routes {
        private let anywhere = ["0.0.0.0/0", "::/0"]

        private func reaches(_ address: String, from internet: Internet, count: Int = 5) throws -> Bool {
            try PingRun.run(from: internet.client.namespace, to: address, count: count).loss == 0
        }

        /// One uplink has the main default route; the other's is in a table that no rule names, or only in the
        /// configuration. Reverse paths are checked.
        @Test(arguments: [false, true])
        func aPathLeavesByItsInterface(gatewayIsConfigured: Bool) throws {
            let internet = try Internet()
            defer { internet.close() }
            try internet.addDefault(0)
            if gatewayIsConfigured {
                try internet.client.change { $0.paths[1].gateway = Internet.gateway(1) }
            } else {
                try internet.addDefault(1, ipv6: false, "table 77")
            }
            try internet.tunnel.start()
            #expect(try reaches(Tunnel.serverAddress, from: internet))
            #expect(try !reaches(Internet.target, from: internet, count: 1))
            let locals = try internet.client.bondd.status().sessions[0].paths.map(\.local)
            #expect(locals == ["10.101.0.1", "10.102.0.1"])
            guard !gatewayIsConfigured else { return }
            // The uplink gets another router.
            try internet.router.ip("addr add 10.102.0.9/24 dev \(interface(1, internet))")
            try internet.client.namespace.ip("route replace default via 10.102.0.9 dev up1 table 77")
            usleep(300_000)
            let routes = try internet.routing()[0]
            #expect(routes.contains("default via 10.102.0.9 dev up1 table 29"), "\(routes)")
            #expect(!routes.contains("default via 10.102.0.2"), "\(routes)")
            // Gone and back.
            try internet.client.namespace.ip("route del default via 10.102.0.9 dev up1 table 77")
            try internet.client.bondd.wait(for: "the path without a way", seconds: 4) {
                $0.path("up1")?.state != "up"
            }
            try internet.addDefault(1, ipv6: false, "table 77")
            usleep(300_000)
            #expect(try internet.routing()[0].contains("default via 10.102.0.2 dev up1 table 29"))
            // It failed soon after it had come up, so the Engine delays it.
            try internet.client.bondd.wait(for: "the path's way back", seconds: 5) { $0.isWhole }
        }

        /// The router's interface of uplink `i`.
        private func interface(_ i: Int, _ internet: Internet) throws -> String {
            let line = try internet.router.run(["ip", "-o", "-4", "addr", "show", "to", Internet.gateway(i)])
            return String(line.split(separator: " ")[1])
        }

        @Test func aFullTunnelTakesBothFamiliesAndKeepsThePathsAndTheLAN() throws {
            let internet = try Internet()
            defer { internet.close() }
            for i in 0..<2 { try internet.addDefault(i, "metric \(100 + i)") }
            try internet.client.change { $0.routes = anywhere }
            try internet.countLeaks()
            try internet.tunnel.start()
            #expect(try reaches(Internet.target, from: internet))
            #expect(try reaches(Internet.target6, from: internet))
            #expect(try internet.client.bondd.status().isWhole)
            // The LAN, and networks with a route on the host, such as a container's.
            #expect(try reaches(Internet.gateway(0), from: internet))
            #expect(try reaches(Internet.gateway6(1), from: internet))
            try internet.client.namespace.ip("link add docker0 type bridge\nlink set docker0 up")
            try internet.client.namespace.ip("addr add 172.17.0.1/16 dev docker0")
            let way = try internet.client.namespace.ip("route get 172.17.0.2")
            #expect(way.contains("dev docker0"), "\(way)")
            // Without a server everything still goes into the tunnel, and is lost there.
            internet.tunnel.server.kill()
            for target in [Internet.target, Internet.target6] {
                #expect(try !reaches(target, from: internet, count: 20))
            }
            try internet.client.bondd.wait(for: "the session's end", seconds: 20) {
                $0.sessions.first?.state != "up"
            }
            for target in [Internet.target, Internet.target6] {
                #expect(try !reaches(target, from: internet, count: 20))
            }
            try internet.tunnel.server.start()
            try internet.client.waitUntilWhole(seconds: 10)
            #expect(try reaches(Internet.target, from: internet))
            // Nor if its interface is switched off.
            try internet.client.namespace.ip("link set bond0 down")
            usleep(200_000)
            for target in [Internet.target, Internet.target6] {
                #expect(try !reaches(target, from: internet))
            }
            try internet.client.namespace.ip("link set bond0 up")
            usleep(200_000)
            #expect(try reaches(Internet.target, from: internet))
            #expect(try reaches(Internet.target6, from: internet))
            #expect(try internet.leaks() == 0)
            try expectRestored(internet)
            try expectNoneLeadPast(internet)
        }

        /// Another program removes rules and routes of the client's.
        private func expectRestored(_ internet: Internet) throws {
            let client = internet.client.namespace
            func state() throws -> [String] {
                try ["-4", "-6"].flatMap { family in
                    try client.run(["ip", family, "rule"]).split(separator: "\n")
                        + client.run(["ip", family, "route", "show", "table", "all", "proto", "176"])
                        .split(separator: "\n")
                }.map(String.init).sorted()
            }
            let before = try state()
            #expect(before.contains { $0.hasPrefix("32190:") }, "\(before)")
            #expect(before.contains { $0.hasPrefix("default dev bond0") }, "\(before)")
            for family in ["-4", "-6"] {
                try client.run(["ip", family, "rule", "del", "priority", "32190"])
                try client.run(["ip", family, "route", "flush", "table", "all", "proto", "176"])
            }
            try wait(seconds: 2, "the rules and routes") { try state() == before }
        }

        /// An uplink's network announces routes more specific than the tunnel's (DHCP's option 121, RFC 4191).
        private func expectNoneLeadPast(_ internet: Internet) throws {
            let (host, bondd) = (internet.client.namespace, internet.client.bondd)
            func status() throws -> String { try bondd.statusText().replacing("\\/", with: "/") }
            for network in ["0.0.0.0/1", "128.0.0.0/1", "192.168.50.0/24"] {
                try host.ip("route add \(network) via \(Internet.gateway(0)) dev up0")
            }
            for network in ["::/1", "8000::/1"] {
                try host.ip("route add \(network) via \(Internet.gateway6(0)) dev up0")
            }
            usleep(300_000)
            for target in [Internet.target, Internet.target6] {
                #expect(try reaches(target, from: internet))
            }
            #expect(try status().contains("0.0.0.0/1 through up0"))
            #expect(try reaches(Internet.gateway(0), from: internet))
            #expect(try reaches(Internet.gateway6(0), from: internet))
            #expect(try host.ip("route get 192.168.50.1").contains("dev up0"))
            #expect(try host.ip("route get 172.17.0.2").contains("dev docker0"))
            for network in ["0.0.0.0/1", "128.0.0.0/1"] { try host.ip("route del \(network)") }
            try host.ip("route add \(Internet.target)/32 via \(Internet.gateway(0)) dev up0")
            usleep(300_000)
            #expect(try reaches(Internet.target, from: internet))
            #expect(try internet.leaks() == 0)
            // A network that claims public addresses cannot be distinguished from one that owns them.
            try host.ip("route del \(Internet.target)/32")
            try host.ip("addr add 198.51.100.77/24 dev up0")
            try wait(seconds: 2, "the notice") {
                try status().contains("198.51.100.0/24 through up0 leads past")
            }
        }

        /// A second route to the server, through a router of its own that translates addresses.
        private func secondRouter(_ internet: Internet) throws -> Namespace {
            let second = try internet.tunnel.lab.namespace("second")
            let host = internet.tunnel.server.namespace
            try second.ip("link add wan type veth peer name second netns \(host.path)")
            try second.ip("link set wan up\naddr add 192.0.2.1/30 dev wan")
            try host.ip("link set second up\naddr add 192.0.2.2/30 dev second")
            try second.ip("route add \(Internet.server) via 192.0.2.2")
            try second.sysctl("net/ipv4/ip_forward", "1")
            try second.run([
                "nft",
                "add table ip lab; add chain ip lab post { type nat hook postrouting priority 100; }; "
                    + "add rule ip lab post oifname wan masquerade",
            ])
            return second
        }

        /// Makes a router count, or drop, packets to the server.
        private func watch(_ router: Namespace, _ interface: String, _ verdict: String) throws {
            try router.run([
                "nft",
                "add table inet to_\(verdict); add chain inet to_\(verdict) f { type filter hook forward priority 0; }; "
                    + "add rule inet to_\(verdict) f oifname \(interface) udp dport 5000 \(verdict)",
            ])
        }

        private func count(_ router: Namespace) throws -> Int {
            let words = try router.run(["nft", "list", "table", "inet", "to_counter"]).split(separator: " ")
            return words.firstIndex(of: "packets").flatMap { Int(words[$0 + 1]) } ?? 0
        }

        /// A DSL router and an LTE router on one switch; strict reverse paths.
        @Test func twoRoutersOnOneInterface() throws {
            let internet = try Internet(uplinks: 1)
            defer { internet.close() }
            let (router, second) = (internet.router, try secondRouter(internet))
            let far = try interface(0, internet)
            try router.ip("link add lan type bridge\nlink set lan up\naddr flush dev \(far)")
            try router.ip("link set \(far) master lan\naddr add \(Internet.gateway(0))/24 dev lan")
            try router.ip("link add other type veth peer name lan netns \(second.path)")
            try router.ip("link set other master lan\nlink set other up")
            try second.ip("link set lan up\naddr add 10.101.0.254/24 dev lan")
            try internet.client.namespace.ip("neigh flush all nud permanent")
            try internet.client.change { file in
                file.paths.append(file.paths[0])
                for (i, gateway) in [Internet.gateway(0), "10.101.0.254"].enumerated() {
                    (file.paths[i].name, file.paths[i].gateway) = (["dsl", "lte"][i], gateway)
                }
            }
            try watch(router, internet.core.interface(.server), "counter")
            try watch(second, "wan", "counter")
            try internet.tunnel.start()
            #expect(try reaches(Tunnel.serverAddress, from: internet, count: 20))
            #expect(try count(router) > 5 && count(second) > 5)
            try watch(router, internet.core.interface(.server), "drop")
            try internet.client.bondd.wait(for: "the path without its router") {
                $0.path("dsl")?.state == "down" && $0.path("lte")?.state == "up"
            }
            #expect(try reaches(Tunnel.serverAddress, from: internet))
            // Without gateways both use one router, which is reported.
            try internet.client.namespace.ip("route add default via 10.101.0.254 dev up0")
            try internet.client.change { file in for i in 0..<2 { file.paths[i].gateway = nil } }
            internet.client.bondd.signal(SIGHUP)
            try wait(seconds: 8, "the note") {
                try internet.client.bondd.statusText().contains("by the router 10.101.0.254 as path dsl does")
            }
        }

        /// Two modems with one network, one address of the router, including its hardware address, and one of
        /// the client's; strict reverse paths.
        @Test func twoSticksOfOneKind() throws {
            let internet = try Internet()
            defer { internet.close() }
            let (router, second) = (internet.router, try secondRouter(internet))
            let host = internet.client.namespace
            let ends = try (0..<2).map { try interface($0, internet) }
            try router.ip("link set \(ends[1]) netns \(second.path)")
            for (i, box) in [router, second].enumerated() {
                try box.ip("addr flush dev \(ends[i])\nlink set \(ends[i]) address 02:50:f3:00:00:01 up")
                try box.ip("addr add 192.168.8.1/24 dev \(ends[i])")
                try host.ip("addr flush dev up\(i)\naddr add 192.168.8.100/24 dev up\(i)")
                try host.ip("neigh flush all nud permanent")
                try host.ip("route add default via 192.168.8.1 dev up\(i) metric \(100 + i)")
            }
            try host.sysctl("net/ipv4/conf/up1/rp_filter", "1")
            try internet.tunnel.start()
            for path in try internet.client.bondd.status().sessions[0].paths {
                #expect(path.local == "192.168.8.100" && path.rx_bytes > 0, "\(path)")
            }
            #expect(try internet.client.bondd.statusText().contains("(rp_filter) of up0 and up1 is loose"))
            // One is unplugged, and comes back with the same lease.
            try host.ip("link set up0 down")
            #expect(try reaches(Tunnel.serverAddress, from: internet))
            try host.ip("link set up0 up\nroute add default via 192.168.8.1 dev up0 metric 100")
            try internet.client.waitUntilWhole(seconds: 10)
            internet.client.bondd.stop()
            let filters = try host.run([
                "sysctl", "-n", "net.ipv4.conf.up0.rp_filter", "net.ipv4.conf.up1.rp_filter",
            ])
            #expect(filters == "0\n1\n")
        }

        @Test func aFamilyThatTheTunnelHasNotIsRefused() throws {
            let internet = try Internet()
            defer { internet.close() }
            for i in 0..<2 { try internet.addDefault(i, "metric \(100 + i)") }
            try internet.client.change { $0.routes = anywhere }
            try internet.tunnel.changeServer { $0.clients[0].addresses.removeLast() }
            try internet.countLeaks()
            try internet.tunnel.start()
            #expect(try reaches(Internet.target, from: internet))
            let ping = try internet.client.namespace.spawn(["ping", "-c1", "-W1", Internet.target6])
            try ping.wait(seconds: 5)
            #expect(ping.errors.contains("No route to host"), "\(ping.errors)")
            #expect(try internet.leaks() == 0)
            #expect(internet.client.bondd.log.contains("assigns no IPv6 address"))
            #expect(try reaches(Internet.gateway6(0), from: internet))
        }

        @Test func allIsAsItWasHoweverItEnds() throws {
            let internet = try Internet()
            defer { internet.close() }
            try internet.addDefault(0)
            try internet.addDefault(1, "table 77")
            let before = try internet.routing()
            try internet.client.change { $0.routes = anywhere + ["192.0.2.0/24"] }
            let bondd = internet.client.bondd
            try internet.tunnel.start()
            #expect(try internet.routing() != before)
            #expect(bondd.stop() == .exited(0))
            #expect(try internet.routing() == before)
            // Killed, started again and stopped.
            try bondd.start()
            try internet.client.waitUntilWhole()
            bondd.kill()
            #expect(try internet.routing() != before)
            try bondd.start()
            try internet.client.waitUntilWhole()
            #expect(bondd.stop() == .exited(0))
            #expect(try internet.routing() == before)
            // Cleanup: not while it is running, afterwards any number of times.
            try bondd.start()
            try internet.client.waitUntilWhole()
            let cleanup = ["cleanup", "--config", bondd.file, "--state-dir", bondd.stateDirectory]
            let refused = try bondd.command(cleanup)
            #expect(
                refused.status == .exited(1) && refused.errors.contains("bondd runs"), "\(refused.errors)")
            bondd.kill()
            for _ in 0..<2 {
                #expect(try bondd.command(cleanup).status == .exited(0))
                #expect(try internet.routing() == before)
            }
        }
    }
}
