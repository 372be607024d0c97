import Glibc
import Lab
import Testing

extension EndToEndTests {
    /// Nothing leaves outside the tunnel, whatever becomes of bondd.
    @Suite("Kill switch") struct KillSwitch {
        private struct World {
            let tunnel: Tunnel
            let client: TunnelClient

            var bondd: Bondd { client.bondd }
            /// The first uplink's far end.
            let outside = ["10.100.0.2", "fd00:100::2"]

            init() throws {
                tunnel = try Tunnel()
                client = try tunnel.client("laptop", wires: ["fibre", "lte"])
                try client.change { $0.killSwitch = true }
                let server = tunnel.server
                let rules = try server.scratch.write(Self.watch, to: "watch.nft")
                try server.namespace.run(["nft", "-f", rules])
            }

            /// Counts what comes over the uplinks, but neighbour discovery and the like, which may leave.
            private static let watch = """
                table inet watch {
                  chain arriving {
                    type filter hook prerouting priority raw;
                    icmpv6 type { 130-136, 143 } accept
                    iifname { "fibre", "lte" } counter
                  }
                }

                """

            /// All tables but the return path's, which is a matter of its own.
            func ruleset() throws -> String {
                let list = "nft -s list ruleset | sed '/^table inet bondd_return/,/^}/d'"
                return try client.namespace.run(["sh", "-c", list])
            }

            /// What has arrived at the far ends of both uplinks.
            func arrived() throws -> Int {
                let words = ["nft", "list", "chain", "inet", "watch", "arriving"]
                let text = try tunnel.server.namespace.run(words)
                let match = try #require(text.firstMatch(of: /packets (\d+)/))
                return try #require(Int(match.1))
            }

            /// Tries to get out by all sorts of packets.
            func tryToLeak() throws {
                for address in outside {
                    let pings = try PingRun.run(from: client.namespace, to: address, count: 20)
                    #expect(pings.replies.isEmpty, "\(address)")
                    do {
                        _ = try TCPProbe(from: client.namespace, to: tunnel.server.namespace, address)
                        Issue.record("a connection to \(address) outside the tunnel")
                    } catch let refused as TCPProbe.Refused {
                        // Programs hear of it at once.
                        #expect(refused.errno != ETIMEDOUT && refused.seconds < 0.5, "\(refused)")
                    }
                    let name = address.contains(":") ? "[\(address)]" : address
                    for port in [53, 123, 5000] {
                        _ = try client.namespace.spawn([
                            "bash", "-c", "echo leak >/dev/udp/\(address)/\(port)",
                        ]).wait(seconds: 2)
                    }
                    _ = try client.namespace.spawn(["curl", "-sm1", "http://\(name)/"]).wait(seconds: 3)
                }
            }
        }

        private func inWorld(_ body: (World) throws -> Void) throws {
            let world = try World()
            defer { world.tunnel.close() }
            try body(world)
        }

        @Test func holdsWhileBonddIsDeadAndIsLiftedByHand() throws {
            try inWorld { world in
                let before = try world.ruleset()
                let old = try TCPProbe(
                    from: world.client.namespace, to: world.tunnel.server.namespace, world.outside[0])
                #expect(old.carries(milliseconds: 500))
                try world.tunnel.start()
                let run = try PingRun.run(from: world.client.namespace, to: Tunnel.serverAddress, count: 20)
                #expect(run.loss == 0)
                try world.tryToLeak()
                #expect(!old.carries(milliseconds: 700), "a connection from before goes on outside")
                let text = try world.bondd.command(["status"]).output
                #expect(text.contains("kill switch: on, "), "\(text)")
                #expect(world.bondd.log.contains("the kill switch is on"))

                let ruleset = try world.ruleset()
                world.bondd.kill()
                #expect(try world.ruleset() == ruleset)
                usleep(100_000)
                let count = try world.arrived()
                try world.tryToLeak()
                #expect(try world.arrived() == count, "packets left outside the tunnel")

                let unlock = try world.bondd.command(["unlock"])
                #expect(
                    unlock.status == .exited(0) && unlock.output.contains("is lifted"), "\(unlock.errors)")
                #expect(try world.ruleset() == before)
                for address in world.outside {
                    let pings = try PingRun.run(from: world.client.namespace, to: address, count: 5)
                    #expect(pings.loss == 0)
                }
                #expect(try world.arrived() >= count + 10, "what is counted is not what leaves")
                let again = try world.bondd.command(["unlock"])
                #expect(again.status == .exited(0) && again.output.contains("no kill switch to lift"))
            }
        }

        @Test func goesWithTheConfigurationAlone() throws {
            try inWorld { world in
                let before = try world.ruleset()
                try world.tunnel.start()
                let ruleset = try world.ruleset()
                #expect(ruleset.contains("table inet bondd_killswitch"))
                // Stopped as it should be, it holds no less.
                #expect(world.bondd.stop() == .exited(0))
                #expect(try world.ruleset() == ruleset)
                try world.bondd.start()
                try world.client.waitUntilWhole()
                #expect(try world.ruleset() == ruleset)
                // Somebody else's flush is no unlocking; the command is, also while bondd runs.
                try world.client.namespace.run(["nft", "flush", "ruleset"])
                usleep(500_000)
                #expect(try world.ruleset() == ruleset)
                #expect(try world.bondd.command(["unlock"]).output.contains("is lifted"))
                usleep(500_000)
                #expect(try world.ruleset() == before)
                world.bondd.signal(SIGHUP)
                usleep(500_000)
                #expect(try world.ruleset() == ruleset)
                try world.client.change { $0.killSwitch = false }
                world.bondd.signal(SIGHUP)
                usleep(500_000)
                #expect(try world.ruleset() == before)
                // Switched off while bondd was dead.
                try world.client.change { $0.killSwitch = true }
                try world.bondd.start()
                try world.client.waitUntilWhole()
                world.bondd.kill()
                try world.client.change { $0.killSwitch = false }
                #expect(try world.ruleset() == ruleset)
                try world.bondd.start()
                try world.client.waitUntilWhole()
                #expect(try world.ruleset() == before)
            }
        }

        /// Hosts behind this one must not get out beside the tunnel either.
        @Test func holdsForOthersBehindTheClient() throws {
            try inWorld { world in
                let guest = try world.tunnel.lab.namespace("guest")
                let lan = try world.tunnel.lab.veth("lan", from: guest, to: world.client.namespace)
                for family in ["ipv4/ip_forward", "ipv6/conf/all/forwarding"] {
                    try world.client.namespace.sysctl("net/\(family)", "1")
                }
                try guest.ip("route add default via \(lan.addresses.ipv4(.server))")
                try guest.ip("route add default via \(lan.addresses.ipv6(.server))")
                let server = world.tunnel.server.namespace
                try server.ip("route add \(lan.addresses.ipv4(.client)) via 10.100.0.1")
                #expect(try PingRun.run(from: guest, to: world.outside[0], count: 5).loss == 0)
                try world.tunnel.start()
                world.bondd.kill()
                usleep(100_000)
                let count = try world.arrived()
                for address in world.outside {
                    #expect(try PingRun.run(from: guest, to: address, count: 10).replies.isEmpty)
                }
                #expect(try world.arrived() == count)
            }
        }

        /// With the switch on from the start, the server's name can't be looked up: its last addresses do.
        @Test func theServersNameNeedNotBeLookedUp() throws {
            try inWorld { world in
                mkdir(world.bondd.stateDirectory, 0o755)
                try world.bondd.scratch.write(
                    "vpn.bondd.invalid:5000 10.100.0.2:5000\n", to: "state/bond0.endpoints")
                try world.client.change { file in
                    file.endpoints = ["vpn.bondd.invalid:5000"]
                    file.paths.removeLast()
                    file.paths[0].endpoint = "vpn.bondd.invalid:5000"
                }
                try world.tunnel.start()
                #expect(try world.ruleset().contains("ip daddr 10.100.0.2 udp dport 5000"))
                #expect(try !world.ruleset().contains("dport 53"))
                // As long as no address is known, and only then, names may be looked up outside.
                world.bondd.stop()
                unlink("\(world.bondd.stateDirectory)/bond0.endpoints")
                try world.bondd.start()
                try world.bondd.wait(for: "an answer") { _ in true }
                #expect(try world.ruleset().contains("udp dport 53 accept"))
                #expect(world.bondd.log.contains("no address of the server is known yet"))
            }
        }
    }
}
