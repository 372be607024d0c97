import Glibc
import Lab
import Testing

extension EndToEndTests {
    /// Links that swallow packets larger than their MTU, and ECN marks on them.
    @Suite("Path MTU and ECN") struct PathMTU {
        /// Waits until a path's MTU at these ends is at most 32 below `mtu`.
        private func wait(_ ends: [Bondd], _ link: Int, _ mtu: Int) throws {
            for bondd in ends {
                try bondd.wait(for: "a path MTU of \(mtu)", seconds: 5) { status in
                    (mtu - 32...mtu).contains(status.sessions.first?.paths[link].mtu ?? 0)
                }
            }
        }

        @Test(arguments: [false, true]) func theTunnelFollowsItsSmallestPath(ipv6: Bool) throws {
            let tunnel = try Tunnel()
            defer { tunnel.close() }
            let client = try tunnel.client("laptop", uplinks: fibreAndLTE, ipv6: [ipv6])
            client.links[1].change { $0.mtu = 1400 }
            try tunnel.start()
            try wait([client.bondd, tunnel.server], 0, 1500)
            try wait([client.bondd, tunnel.server], 1, 1400)
            // bondd's overhead and the outer headers.
            let most = 1400 - 44 - (ipv6 ? 48 : 28)
            try client.bondd.wait(for: "the tunnel's MTU", seconds: 2) { status in
                (most - 32...most).contains(status.mtu)
            }
            #expect(
                try client.namespace.ip("link show dev bond0").contains("mtu \(client.bondd.status().mtu) "))
            for address in [Tunnel.serverAddress, Tunnel.serverAddress6] {
                var plan = TCPFlow.Plan(to: address, seconds: 4)
                plan.omit = 2
                plan.congestion = "cubic"
                for reverse in [false, true] {
                    plan.reverse = reverse
                    let sender = reverse ? tunnel.server : client.bondd
                    let before = try sender.status().sessions[0].paths[1].tx_bytes
                    let flow = try TCPFlow.run(from: client.namespace, to: tunnel.server.namespace, plan)
                    measured("TCP over an MTU of 1500 and one of 1400, \(address)", flow.megabits, "Mbit/s")
                    #expect(flow.megabits > 85)
                    // The sender respects both links' MTU, or the smaller one would carry nothing.
                    #expect(try sender.status().sessions[0].paths[1].tx_bytes - before > 1_000_000)
                }
            }
        }

        /// A black hole opens under a flow, on the only path and on one of two.
        @Test(arguments: [["lte=50/10"], ["lte=50/10", "fibre=50/20"]], [false, true])
        func aFlowOutlivesABlackHole(uplinks: [String], reverse: Bool) throws {
            try withTunnel(uplinks) { tunnel, client in
                try wait([client.bondd, tunnel.server], 0, 1500)
                var plan = TCPFlow.Plan(to: Tunnel.serverAddress, seconds: 10)
                plan.reverse = reverse
                plan.interval = 0.5
                let flow = try TCPFlow.start(from: client.namespace, to: tunnel.server.namespace, plan)
                usleep(4_000_000)
                client.links[0].change { $0.mtu = 1300 }
                let series = try flow.finish().series
                let what = "\(uplinks.count) paths, \(reverse ? "down" : "up")"
                measured(
                    "black hole, \(what): intervals below 1 Mbit/s", Double(series.count { $0 < 1 }),
                    "of 0.5 s")
                let (before, after) = (series[4..<8].reduce(0, +) / 4, series[14...].reduce(0, +) / 6)
                measured("black hole, \(what): before", before, "Mbit/s")
                measured("black hole, \(what): after 3 s", after, "Mbit/s")
                #expect(series.count { $0 < 1 } <= 4)
                #expect(after > 35, "\(series)")
                // A sender without large packets cannot notice, and need not.
                try wait([reverse ? tunnel.server : client.bondd], 0, 1300)
            }
        }

        /// A router on the way marks all ECN-capable packets: the flow's sender learns of it from its receiver.
        @Test(arguments: [(Tunnel.serverAddress, false), (Tunnel.serverAddress6, true)])
        func marksOfRoutersReachTheFlow(address: String, overIPv6: Bool) throws {
            let tunnel = try Tunnel()
            defer { tunnel.close() }
            let client = try tunnel.client("laptop", uplinks: fibreAndLTE, ipv6: [overIPv6])
            for namespace in [client.namespace, tunnel.server.namespace] {
                try namespace.sysctl("net/ipv4/tcp_ecn", "1")
            }
            try tunnel.start()
            let family = overIPv6 ? "ip6" : "ip"
            try tunnel.server.namespace.run([
                "nft",
                "add table \(family) lab; "
                    + "add chain \(family) lab in { type filter hook prerouting priority 0; policy accept; }; "
                    + "add rule \(family) lab in udp dport 5000 \(family) ecn != 0 counter \(family) ecn set ce",
            ])
            var plan = TCPFlow.Plan(to: address, seconds: 3)
            plan.congestion = "cubic"
            let flow = try TCPFlow.run(from: client.namespace, to: tunnel.server.namespace, plan)
            measured("TCP under marks on all packets", flow.megabits, "Mbit/s")
            // It halves repeatedly: little of the links' 150 Mbit/s is left.
            #expect(flow.megabits > 0.1 && flow.megabits < 30)
            let marked = try counter(overIPv6 ? "Ip6InCEPkts" : "IpExtInCEPkts", tunnel.server.namespace)
            let told = try counter("TcpExtTCPDeliveredCE", client.namespace)
            measured("packets that came out marked", marked, "")
            measured("of which the sender heard", told, "")
            #expect(marked > 50 && told > 50)
            #expect(try tunnel.server.status().drops["congested"] == 0)
        }

        private func counter(_ name: String, _ namespace: Namespace) throws -> Double {
            let lines = try namespace.run(["nstat", "-asz", name]).split(separator: "\n")
            let line = try #require(lines.first { $0.hasPrefix(name) })
            return try #require(Double(line.split(separator: " ")[1]))
        }
    }
}
