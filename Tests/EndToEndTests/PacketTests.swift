import Lab
import Testing

extension EndToEndTests {
    /// Packets of both families inside the tunnel, over both families outside.
    @Suite("Packets") struct Packets {
        private func pingEachWay(_ tunnel: Tunnel, _ client: TunnelClient, size: Int = 56) throws {
            for address in [Tunnel.serverAddress, Tunnel.serverAddress6] {
                let run = try PingRun.run(from: client.namespace, to: address, count: 20, size: size)
                #expect(run.lost == 0 && run.duplicates == 0, "\(address): \(run.lost) lost")
            }
            for address in [client.address, client.address6] {
                let run = try PingRun.run(
                    from: tunnel.server.namespace, to: address, count: 20, size: size)
                #expect(run.lost == 0 && run.duplicates == 0, "\(address): \(run.lost) lost")
            }
        }

        @Test(arguments: [[false], [true], [false, true]])
        func passBothWays(overIPv6 ipv6: [Bool]) throws {
            // Redundant, so that every packet takes every path.
            try withTunnel(fibreAndLTE, mode: "redundant", ipv6: ipv6) { tunnel, client in
                try pingEachWay(tunnel, client)
                // 1352 bytes and 48 of headers exactly fit the MTU of 1400 in both families.
                try pingEachWay(tunnel, client, size: 1352)
                let paths = try client.bondd.status().sessions[0].paths
                #expect(paths.map { $0.remote.hasPrefix("[") } == [ipv6[0], ipv6[ipv6.count - 1]])
                #expect(paths.allSatisfy { $0.state == "up" && $0.tx_packets > 160 }, "\(paths)")
            }
        }

        @Test func largerOnesArriveInFragments() throws {
            try withTunnel(fibreAndLTE) { tunnel, client in try pingEachWay(tunnel, client, size: 4000) }
        }

        /// The client reaches the server at an address other than the kernel's default source, and
        /// accepts packets from no other: answers must come from there.
        @Test(arguments: [false, true]) func theServerAnswersFromTheAddressTheClientUsed(ipv6: Bool) throws {
            let tunnel = try Tunnel()
            defer { tunnel.close() }
            let client = try tunnel.client("laptop", uplinks: ["fibre=100/5"], ipv6: [ipv6])
            let other = ipv6 ? "fd00:100::3" : "10.100.0.3"
            try tunnel.server.namespace.ip("addr add \(other)/\(ipv6 ? 64 : 24) dev fibre nodad")
            // IPv6 prefers the newest address: make that the default.
            if ipv6 { try tunnel.server.namespace.ip("addr change fd00:100::3/64 dev fibre preferred_lft 0") }
            let usual = ipv6 ? "fd00:100::2" : "10.100.0.2"
            try client.namespace.run([
                "nft",
                "add table inet lab; "
                    + "add chain inet lab in { type filter hook input priority 0; policy accept; }; "
                    + "add rule inet lab in \(ipv6 ? "ip6" : "ip") saddr \(usual) udp sport 5000 counter drop",
            ])
            let endpoint = ipv6 ? "[\(other)]:5000" : "\(other):5000"
            try client.change { $0.paths[0].endpoint = endpoint }
            try tunnel.start()
            try pingEachWay(tunnel, client)
            #expect(try client.bondd.status().path("fibre")?.remote == endpoint)
            #expect(
                try client.namespace.run(["nft", "list", "ruleset"]).contains("counter packets 0 bytes 0"))
        }
    }
}
