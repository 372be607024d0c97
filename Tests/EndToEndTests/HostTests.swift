import Glibc
import Lab
import Testing

extension EndToEndTests {
    /// What bondd does to the machine that it runs on, and undoes.
    @Suite("The host") struct Host {
        /// All that bondd might change of a namespace's network.
        private func network(_ namespace: Namespace) throws -> [String] {
            let commands = [
                "ip -j -details link", "ip -j addr", "ip -j -4 route show table all",
                "ip -j -6 route show table all", "ip -j -4 rule", "ip -j -6 rule", "nft -s list ruleset",
                "ss -Hlnu", "ss -Hlnt", "cat /proc/sys/net/ipv4/ip_forward",
            ]
            return try commands.map { command in
                try namespace.run(command.split(separator: " ").map(String.init))
            }
        }

        @Test(arguments: [SIGTERM, SIGINT]) func isLeftAsItWas(_ signal: Int32) throws {
            let tunnel = try Tunnel()
            defer { tunnel.close() }
            let client = try tunnel.client("laptop", uplinks: fibreAndLTE)
            try client.change { $0.routes = ["0.0.0.0/0", "::/0", "198.51.100.0/24"] }
            let before = (try network(client.namespace), try network(tunnel.server.namespace))
            try tunnel.start()
            #expect(try PingRun.run(from: client.namespace, to: Tunnel.serverAddress, count: 10).loss == 0)
            #expect(try client.namespace.ip("route").contains("198.51.100.0/24 dev bond0"))
            for family in ["-4", "-6"] {
                let all = try client.namespace.run(["ip", family, "route", "show", "table", "all"])
                #expect(all.contains("default dev bond0 table"), "\(all)")
            }
            #expect(try network(client.namespace) != before.0)
            for bondd in [client.bondd, tunnel.server] {
                bondd.signal(signal)
                #expect(try bondd.child?.wait(seconds: 2) == .exited(0))
                #expect(access(bondd.socket, F_OK) != 0, "the control socket is still there")
            }
            #expect(try network(client.namespace) == before.0)
            #expect(try network(tunnel.server.namespace) == before.1)
        }

        @Test func theServerSeesAtOnceThatAClientHasLeft() throws {
            try withTunnel(fibreAndLTE) { tunnel, client in
                client.bondd.stop()
                try tunnel.server.wait(for: "the session's end", seconds: 1) { status in
                    status.session("laptop")?.state != "up"
                }
            }
        }

        @Test func killedItLeavesNoInterfaceAndStartsAgain() throws {
            try withTunnel(fibreAndLTE) { tunnel, client in
                for _ in 0..<3 {
                    client.bondd.kill()
                    tunnel.server.kill()
                    #expect(access(client.bondd.socket, F_OK) == 0, "no stale socket to start over")
                    #expect(try !client.namespace.ip("link").contains("bond0"))
                    try tunnel.server.start()
                    try client.bondd.start()
                    try client.waitUntilWhole()
                }
                let run = try PingRun.run(from: client.namespace, to: Tunnel.serverAddress, count: 10)
                #expect(run.loss == 0)
            }
        }

        @Test func aSecondInstanceIsRefusedAndTheFirstUnharmed() throws {
            try withTunnel(["fibre=100/5"]) { tunnel, client in
                let second = try client.bondd.command(["run", "--config", client.bondd.file])
                #expect(second.status == .exited(1))
                #expect(second.errors.split(separator: "\n").count == 1, "\(second.errors)")
                #expect(second.errors.contains("another bondd"), "\(second.errors)")
                #expect(try client.bondd.status().isWhole)
                let run = try PingRun.run(from: client.namespace, to: Tunnel.serverAddress, count: 10)
                #expect(run.loss == 0)
            }
        }

        @Test func aClientLivesThroughALostInterfaceOfItsOwn() throws {
            try withTunnel(["fibre=100/5"]) { tunnel, client in
                // Somebody sets the tunnel's interface down and up; what it says is its own matter, it must not end.
                try client.namespace.ip("link set bond0 down")
                usleep(300_000)
                #expect(client.bondd.isRunning)
                #expect(try client.bondd.status().sessions.first?.state == "up")
            }
        }
    }
}
