import Glibc
import Lab
import Testing

extension EndToEndTests {
    /// Clients whose configuration names no path.
    @Suite("Discovery", .lane(.waiting)) struct Discovery {
        /// Waits for a state and reports how long that took, which must be at most a second.
        private func within1s(
            _ what: String, _ internet: Internet, _ isWanted: (TunnelStatus) -> Bool
        ) throws {
            let start = Clock.monotonic
            try internet.client.bondd.wait(for: what, seconds: 4, until: isWanted)
            let time = Clock.monotonic - start
            measured(what, time, "s")
            #expect(time <= 1)
        }

        private func isUp(_ status: TunnelStatus, _ names: [String]) -> Bool {
            status.sessions.first?.state == "up"
                && status.sessions[0].paths.filter { $0.state == "up" }.map(\.name).sorted() == names
        }

        @Test func interfacesAreFollowed() throws {
            let internet = try Internet()
            defer { internet.close() }
            let host = internet.client.namespace
            try internet.addDefault(0, "metric 100")
            try internet.client.change {
                $0.paths = []
                $0.discovery = ["up*"]
            }
            try internet.tunnel.server.start()
            try internet.client.bondd.start()
            try internet.client.bondd.wait(for: "the first uplink") { isUp($0, ["up0"]) }
            try internet.addDefault(1, ipv6: false, "metric 200")
            try within1s("an uplink with a new default route is up", internet) { isUp($0, ["up0", "up1"]) }
            try internet.client.bondd.set("path.up1.role", "backup")
            // Its address changes. (The Engine delays a path that fails soon after it came up by seconds; its
            // address shows that it is followed.)
            try host.ip("addr del 10.102.0.1/24 dev up1\naddr add 10.102.0.77/24 dev up1")
            try internet.addDefault(1, ipv6: false, "metric 200")
            try within1s("a new address is known", internet) { $0.path("up1")?.local == "10.102.0.77" }
            // It loses its carrier because its far end goes down.
            let far = try farEnd(internet)
            try internet.router.ip("link set \(far) down")
            try within1s("an uplink without carrier is not up", internet) { isUp($0, ["up0"]) }
            try internet.router.ip("link set \(far) up")
            try within1s("a carrier that is back is known", internet) {
                $0.path("up1")?.local == "10.102.0.77"
            }
            // It disappears and comes back, and its settings still apply.
            try host.ip("link del up1")
            try within1s("an uplink that vanished is not up", internet) {
                isUp($0, ["up0"]) && $0.path("up1")?.local == ""
            }
            try host.ip("link add up1 type veth peer name \(far) netns \(internet.router.path)")
            try internet.router.ip("link set \(far) up\naddr add 10.102.0.2/24 dev \(far)")
            try host.ip("link set up1 up\naddr add 10.102.0.1/24 dev up1")
            try internet.addDefault(1, ipv6: false, "metric 200")
            try within1s("an uplink that came back is known", internet) {
                $0.path("up1")?.local == "10.102.0.1"
            }
            #expect(try internet.client.bondd.status().path("up1")?.role == "backup")
            // Another name means another path.
            try host.ip("link set up1 down\nlink set up1 name up7\nlink set up7 up")
            try host.ip("route add default via 10.102.0.2 dev up7 metric 200")
            try within1s("an uplink with a new name is up", internet) { isUp($0, ["up0", "up7"]) }
            // Without its default route it is not an uplink.
            try host.ip("route del default via 10.102.0.2 dev up7")
            try within1s("an interface without default route is not up", internet) { isUp($0, ["up0"]) }
            #expect(try PingRun.run(from: host, to: Tunnel.serverAddress, count: 10).loss == 0)
        }

        private func farEnd(_ internet: Internet) throws -> String {
            let line = try internet.router.run(["ip", "-o", "-4", "addr", "show", "to", Internet.gateway(1)])
            return String(line.split(separator: " ")[1])
        }

        @Test func virtualInterfacesAreLeftOutUnlessNamed() throws {
            let internet = try Internet()
            defer { internet.close() }
            for i in 0..<2 { try internet.addDefault(i, "metric \(100 + i)") }
            let bondd = internet.client.bondd
            try internet.tunnel.server.start()
            for include in [nil, ["*"], ["eth*", "up1"]] {
                try internet.client.change {
                    $0.paths = []
                    $0.discovery = include
                }
                if bondd.isRunning { bondd.signal(SIGHUP) } else { try bondd.start() }
                guard include?.contains("up1") != true else { continue }
                usleep(500_000)
                #expect(try bondd.status().sessions.allSatisfy { $0.paths.isEmpty })
                #expect(
                    bondd.log.contains("there is no uplink: up0, up1 would qualify but for being virtual"))
            }
            try bondd.wait(for: "the uplink that is named") { isUp($0, ["up1"]) }
        }

        /// A bridge with the host's default route over one uplink; on the other a router with only an IPv6
        /// address, then none.
        @Test func everyKindOfUplink() throws {
            let internet = try Internet()
            defer { internet.close() }
            let (host, bondd) = (internet.client.namespace, internet.client.bondd)
            try host.ip(
                """
                link add vmbr0 type bridge
                link set vmbr0 up
                addr flush dev up0
                link set up0 master vmbr0
                addr add 10.101.0.1/24 dev vmbr0
                route add default via \(Internet.gateway(0)) dev vmbr0 metric 100
                """)
            try internet.addDefault(1, ipv6: false, "metric 200")
            try internet.client.change {
                $0.paths = []
                $0.discovery = nil
            }
            try internet.tunnel.server.start()
            try bondd.start()
            try bondd.wait(for: "the bridge") { isUp($0, ["vmbr0"]) }
            let left = "up1 has a default route and is left out for being virtual (veth)"
            #expect(try bondd.statusText().contains(left))
            // Without the family, iproute2 would take it for an IPv6 route.
            func ip(_ arguments: String) throws {
                try host.run(["ip", "-4"] + arguments.split(separator: " ").map(String.init))
            }
            try ip("route del default dev up1")
            try ip("route add default via inet6 \(Internet.gateway6(1)) dev up1 metric 200")
            try internet.client.change { $0.discovery = ["*", "up1"] }
            bondd.signal(SIGHUP)
            try bondd.wait(for: "IPv4 by an IPv6 router", seconds: 8) { isUp($0, ["up1", "vmbr0"]) }
            #expect(try !bondd.statusText().contains("is left out"))
            #expect(try bondd.status().path("up1")?.local == "10.102.0.1")
            let far = try farEnd(internet)
            try internet.router.sysctl("net/ipv4/conf/\(far)/proxy_arp", "1")
            try ip("route del default dev up1")
            try bondd.wait(for: "the path without a way", seconds: 4) { $0.path("up1")?.state != "up" }
            try ip("route add default dev up1 metric 200")
            try bondd.wait(for: "a link without a router", seconds: 8) { isUp($0, ["up1", "vmbr0"]) }
        }

        /// Two uplinks swap names: paths named by hardware follow it, and a path named by interface gets a notice.
        @Test func pathsFollowTheirHardware() throws {
            let internet = try Internet()
            defer { internet.close() }
            let (host, bondd) = (internet.client.namespace, internet.client.bondd)
            for i in 0..<2 {
                try host.ip("link set up\(i) address 00:11:22:33:44:0\(i)")
                try internet.router.ip("neigh flush all nud permanent")
                try internet.addDefault(i, ipv6: false, "metric \(100 + i)")
            }
            /// Swaps the names of two interfaces.
            func swap(_ first: String, _ second: String) throws {
                for name in [first, second] { try host.ip("link set \(name) down") }
                try host.ip("link set \(first) name tmp0")
                try host.ip("link set \(second) name \(first)\nlink set tmp0 name \(second)")
                for (i, name) in [(0, second), (1, first)] {
                    try host.ip("link set \(name) up")
                    try host.ip("route add default via \(Internet.gateway(i)) dev \(name) metric \(100 + i)")
                }
            }
            func locals() throws -> [String?] {
                let status = try bondd.status()
                return ["fibre", "lte"].map { status.path($0)?.local }
            }
            try internet.client.change { file in
                for (i, name) in ["fibre", "lte"].enumerated() {
                    file.paths[i].name = name
                    file.paths[i].mac = "00:11:22:33:44:0\(i)"
                }
                file.paths[1].role = "backup"
            }
            try internet.tunnel.server.start()
            try bondd.start()
            try bondd.wait(for: "both paths") { isUp($0, ["fibre", "lte"]) }
            #expect(try locals() == ["10.101.0.1", "10.102.0.1"])
            try swap("up0", "up1")
            try wait(seconds: 4, "the paths' new names") { try locals() == ["10.101.0.1", "10.102.0.1"] }
            #expect(try bondd.status().path("lte")?.role == "backup")
            #expect(try !bondd.statusText().contains("other hardware"))
            // Named by interface: the hardware is remembered across a restart.
            try internet.client.change { file in for i in 0..<2 { file.paths[i].mac = nil } }
            bondd.stop()
            try bondd.start()
            try bondd.wait(for: "the paths by name") { isUp($0, ["fibre", "lte"]) }
            #expect(try !bondd.statusText().contains("other hardware"))
            bondd.stop()
            try swap("up1", "up0")
            try bondd.start()
            try bondd.wait(for: "the paths by other hardware") { isUp($0, ["fibre", "lte"]) }
            #expect(
                try bondd.statusText().contains("up0 leads to other hardware (00:11:22:33:44:00) than before")
            )
        }

        @Test func aSessionHasSixteenAndAnotherWhenOneIsGone() throws {
            let internet = try Internet(uplinks: 17)
            defer { internet.close() }
            for i in 0..<17 { try internet.addDefault(i, ipv6: false, "metric \(100 + i)") }
            try internet.client.change {
                $0.paths = []
                $0.discovery = ["up*"]
            }
            let names = (0..<17).map { "up\($0)" }.sorted()
            try internet.tunnel.server.start()
            try internet.client.bondd.start()
            try internet.client.bondd.wait(for: "sixteen uplinks") { isUp($0, Array(names.dropLast())) }
            #expect(internet.client.bondd.log.contains("the uplink up9 is not used"))
            try internet.client.namespace.ip("link del up3")
            // The server frees the slot only 10 s after the last datagram.
            try within1s("another uplink in place of one that is gone", internet) {
                $0.path("up3") == nil && $0.path("up9")?.local == "10.110.0.1"
            }
        }

        /// Both families are candidates for a path: each uplink uses the one it has, or the other if that one's
        /// endpoint does not answer.
        @Test func anUplinkTakesTheFamilyThatItHas() throws {
            let internet = try Internet()
            defer { internet.close() }
            let host = internet.client.namespace
            try host.ip("addr del fd00:101::1/64 dev up0\naddr del 10.102.0.1/24 dev up1")
            try internet.addDefault(0, ipv6: false)
            try internet.addDefault(1, ipv4: false)
            try internet.client.change {
                $0.paths = []
                $0.discovery = ["up*"]
            }
            try internet.tunnel.server.start()
            try internet.client.bondd.start()
            let status = try internet.client.bondd.wait(for: "both uplinks") { isUp($0, ["up0", "up1"]) }
            #expect(status.path("up0")?.remote == "\(Internet.server):5000")
            #expect(status.path("up1")?.remote == "[\(Internet.server6)]:5000")
            // The first gets IPv6, too, and IPv4's endpoint stops answering on it.
            try host.ip("addr add fd00:101::1/64 dev up0 nodad")
            try host.ip("route add default via fd00:101::2 dev up0 metric 50")
            try internet.router.run([
                "nft",
                "add table ip lab; add chain ip lab in { type filter hook prerouting priority 0; }; "
                    + "add rule ip lab in udp dport 5000 drop",
            ])
            try internet.client.bondd.wait(for: "the other family", seconds: 12) {
                $0.path("up0")?.remote.hasPrefix("[") == true && isUp($0, ["up0", "up1"])
            }
        }
    }
}
