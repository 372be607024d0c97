import Glibc
import Lab
import Testing

extension EndToEndTests {
    /// What a client does to its host's routes and rules.
    @Suite("Routes") struct Routes {
        private let anywhere = ["0.0.0.0/0", "::/0"]

        private func reaches(_ address: String, from internet: Internet, count: Int = 5) throws -> Bool {
            try PingRun.run(from: internet.client.namespace, to: address, count: count).loss == 0
        }

        /// One uplink has the main default route; the other's is in a table that no rule names, or is nowhere but in the
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
            // It failed soon after it had come up, so the Engine takes its time.
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
            // The LAN, and networks that the host has a route for, such as a container's.
            #expect(try reaches(Internet.gateway(0), from: internet))
            #expect(try reaches(Internet.gateway6(1), from: internet))
            try internet.client.namespace.ip("link add docker0 type bridge\nlink set docker0 up")
            try internet.client.namespace.ip("addr add 172.17.0.1/16 dev docker0")
            let way = try internet.client.namespace.ip("route get 172.17.0.2")
            #expect(way.contains("dev docker0"), "\(way)")
            // Without a server all still goes into the tunnel, and is lost there.
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
            // Nor when somebody switches its interface off.
            try internet.client.namespace.ip("link set bond0 down")
            usleep(200_000)
            for target in [Internet.target, Internet.target6] {
                #expect(try !reaches(target, from: internet))
            }
            try internet.client.namespace.ip("link set bond0 up")
            usleep(200_000)
            #expect(try reaches(Internet.target, from: internet))
            #expect(try internet.leaks() == 0)
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
            #expect(internet.client.bondd.log.contains("gives no IPv6 address"))
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
            // Cleaned up: not while it runs, afterwards as often as one likes.
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
