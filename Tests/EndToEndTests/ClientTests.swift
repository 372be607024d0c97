import Glibc
import Lab
import Testing

extension EndToEndTests {
    /// Several clients, and hosts that are not clients.
    @Suite("Clients") struct Clients {
        private func withTwoClients(_ body: (Tunnel, TunnelClient, TunnelClient) throws -> Void) throws {
            let tunnel = try Tunnel()
            defer { tunnel.close() }
            let laptop = try tunnel.client("laptop", uplinks: ["fibre=100/5", "lte=50/10"])
            let van = try tunnel.client("van", uplinks: ["lte=30/10", "sat=50/20"])
            for family in ["ipv4/ip_forward", "ipv6/conf/all/forwarding"] {
                try tunnel.server.namespace.sysctl("net/\(family)", "1")
            }
            try tunnel.start()
            try body(tunnel, laptop, van)
        }

        @Test func reachTheServerAndEachOther() throws {
            try withTwoClients { tunnel, laptop, van in
                let ways = [
                    (laptop, Tunnel.serverAddress), (laptop, van.address), (laptop, van.address6),
                    (van, Tunnel.serverAddress6), (van, laptop.address), (van, laptop.address6),
                ]
                for (client, address) in ways {
                    let run = try PingRun.run(from: client.namespace, to: address, count: 20)
                    #expect(run.lost == 0 && run.duplicates == 0, "\(client.bondd.name) to \(address)")
                }
                var plan = TCPFlow.Plan(to: van.address, seconds: 3)
                plan.omit = 1
                let flow = try TCPFlow.run(from: laptop.namespace, to: van.namespace, plan)
                measured("TCP from client to client, 80 Mbit/s at the most", flow.megabits, "Mbit/s")
                #expect(flow.megabits > 20)
                #expect(try tunnel.server.status().sessions.map(\.client).sorted() == ["laptop", "van"])
            }
        }

        /// Packets of a client with another client's address, or any other, do not reach the server's interface.
        @Test func cannotSendWithAForeignAddress() throws {
            try withTwoClients { tunnel, laptop, van in
                let server = tunnel.server
                for (source, to) in [
                    (van.address, Tunnel.serverAddress), (van.address6, Tunnel.serverAddress6),
                    ("10.77.0.200", Tunnel.serverAddress), ("fd77::200", Tunnel.serverAddress6),
                    ("192.0.2.1", Tunnel.serverAddress), ("10.77.0.200", van.address),
                ] {
                    let prefix = "\(source)/\(source.contains(":") ? 128 : 32)"
                    try laptop.namespace.ip("addr add \(prefix) dev bond0 nodad")
                    let drops = try foreignSources(server)
                    let received = try #require(server.namespace.receivedPackets("bond0"))
                    let run = try PingRun.run(from: laptop.namespace, to: to, count: 25, source: source)
                    #expect(run.replies.isEmpty && run.sent == 25, "\(source) to \(to)")
                    #expect(try foreignSources(server) >= drops + 25, "\(source) to \(to)")
                    #expect(try #require(server.namespace.receivedPackets("bond0")) - received < 5)
                    try laptop.namespace.ip("addr del \(prefix) dev bond0")
                }
                let after = try PingRun.run(from: van.namespace, to: laptop.address, count: 10)
                #expect(after.lost == 0, "\(after)")
            }
        }

        private func foreignSources(_ bondd: Bondd) throws -> Int {
            try #require(bondd.status().drops["foreign_source"])
        }

        @Test func aClientThatTheServerDoesNotKnowStaysOut() throws {
            let tunnel = try Tunnel()
            defer { tunnel.close() }
            let laptop = try tunnel.client("laptop", uplinks: ["fibre=100/5"])
            let stranger = try tunnel.client("stranger", uplinks: ["lte=50/10"])
            try tunnel.changeServer { $0.clients.removeLast() }
            try tunnel.server.start()
            try stranger.bondd.start()
            try laptop.bondd.start()
            try laptop.waitUntilWhole()
            try refused(stranger, tunnel.server)
            #expect(try PingRun.run(from: laptop.namespace, to: Tunnel.serverAddress, count: 10).loss == 0)
        }

        @Test func aClientWithTheWrongServerKeyKeepsTrying() throws {
            let tunnel = try Tunnel()
            defer { tunnel.close() }
            let laptop = try tunnel.client("laptop", uplinks: fibreAndLTE)
            let other = try tunnel.client("other", uplinks: [])
            try laptop.change { $0.serverKey = other.bondd.publicKey }
            try tunnel.server.start()
            try laptop.bondd.start()
            try refused(laptop, tunnel.server)
            // Attempts are 5 s and some jitter apart; each is sent on both paths.
            try tunnel.server.wait(for: "a second try", seconds: 7) {
                $0.drops["handshake", default: 0] >= 4
            }
        }

        /// Neither end of a session accepts a client without the preshared key, and with it all is well.
        @Test func thePresharedKeyCounts() throws {
            let tunnel = try Tunnel()
            defer { tunnel.close() }
            let laptop = try tunnel.client("laptop", uplinks: ["fibre=100/5"])
            let key = try Child.run([Program().path, "keygen"])
            let other = try Child.run([Program().path, "keygen"])
            try tunnel.server.scratch.write(key, to: "psk")
            try laptop.bondd.scratch.write(other, to: "psk")
            try tunnel.changeServer { $0.clients[0].presharedKeyFile = "psk" }
            try laptop.change { $0.presharedKeyFile = "psk" }
            try tunnel.server.start()
            try laptop.bondd.start()
            usleep(1_500_000)
            #expect(try laptop.bondd.status().isWhole == false)
            #expect(try PingRun.run(from: tunnel.server.namespace, to: laptop.address, count: 5).loss == 1)
            laptop.bondd.stop()
            try laptop.bondd.scratch.write(key, to: "psk")
            try laptop.bondd.start()
            try laptop.waitUntilWhole()
            #expect(try PingRun.run(from: laptop.namespace, to: Tunnel.serverAddress, count: 10).loss == 0)
        }

        private func refused(_ client: TunnelClient, _ server: Bondd) throws {
            try server.wait(for: "a refused handshake", seconds: 3) {
                $0.drops["unknown_key", default: 0] + $0.drops["handshake", default: 0] > 0
            }
            usleep(500_000)
            let status = try client.bondd.status()
            #expect(status.sessions.first?.state == "connecting")
            #expect(client.bondd.isRunning)
            #expect(try server.status().session(client.bondd.name) == nil)
        }
    }
}
