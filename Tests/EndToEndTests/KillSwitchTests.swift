import ControlProtocol
import Glibc
import Lab
import Testing

extension EndToEndTests {
    /// Nothing leaves outside the tunnel, whatever happens to bondd.
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

            /// Counts packets arriving over the uplinks, except neighbor discovery and the like, which may leave.
            private static let watch = """
                table inet watch {
                  chain arriving {
                    type filter hook prerouting priority raw;
                    icmpv6 type { 130-136, 143 } accept
                    iifname { "fibre", "lte" } counter
                  }
                }

                """

            /// All tables except the return path's, which is unrelated.
            func ruleset() throws -> String {
                let list = "nft -s list ruleset | sed '/^table inet bondd_return/,/^}/d'"
                return try client.namespace.run(["sh", "-c", list])
            }

            /// The packets that have arrived at the far ends of both uplinks.
            func arrived() throws -> Int {
                let words = ["nft", "list", "chain", "inet", "watch", "arriving"]
                let text = try tunnel.server.namespace.run(words)
                let match = try #require(text.firstMatch(of: /packets (\d+)/))
                return try #require(Int(match.1))
            }

            /// Tries to send packets of all kinds outside the tunnel.
            func tryToLeak() throws {
                for address in outside {
                    let pings = try PingRun.run(from: client.namespace, to: address, count: 20)
                    #expect(pings.replies.isEmpty, "\(address)")
                    do {
                        _ = try TCPProbe(from: client.namespace, to: tunnel.server.namespace, address)
                        Issue.record("a connection to \(address) outside the tunnel")
                    } catch let refused as TCPProbe.Refused {
                        // Programs get an error at once.
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
                // After a regular stop it still holds.
                #expect(world.bondd.stop() == .exited(0))
                #expect(try world.ruleset() == ruleset)
                try world.bondd.start()
                try world.client.waitUntilWhole()
                #expect(try world.ruleset() == ruleset)
                // A flush by another program does not unlock; the command does, even while bondd is running.
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
                // Switched off while bondd was not running.
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

        /// Hosts behind this one must not bypass the tunnel either.
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

        /// With the switch on from the start, the server's name cannot be resolved: its last addresses are used.
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
                #expect(try !world.ruleset().contains("\n\t\tudp dport 53"))
                // While no address is known, and only then, names may be resolved outside.
                world.bondd.stop()
                unlink("\(world.bondd.stateDirectory)/bond0.endpoints")
                try world.bondd.start()
                try world.bondd.wait(for: "an answer") { _ in true }
                #expect(try world.ruleset().contains("udp dport 53 accept"))
                #expect(world.bondd.log.contains("no address of the server is known yet"))
            }
        }

        /// Changes by other programs to packets that have been routed: a mark with its own rule, and another
        /// destination.
        @Test func holdsForPacketsThatFindAnotherWay() throws {
            try inWorld { world in
                let far = "192.0.2.9"
                let client = world.client.namespace
                try world.tunnel.server.namespace.ip("addr add \(far) dev lo")
                try world.client.change { $0.routes = ["0.0.0.0/0", "::/0"] }
                try client.ip("route add default via \(world.outside[0]) dev fibre table 99")
                try client.ip("rule add fwmark 7 lookup 99 priority 10")
                try world.tunnel.start()
                let count = try world.arrived()
                func nft(_ commands: String...) throws {
                    try client.run(["nft", commands.joined(separator: "; ")])
                }
                func leaks(_ address: String) throws -> Bool {
                    _ = try PingRun.run(from: client, to: address, count: 10)
                    _ = try client.spawn(["bash", "-c", "echo leak >/dev/udp/\(address)/5000"]).wait(
                        seconds: 2)
                    return try world.arrived() > count + 400
                }
                // The tunnel's own packets are counted as well: a sender that gets answers reveals more.
                try world.tunnel.server.namespace.run([
                    "nft",
                    "add chain inet watch leaks { type filter hook prerouting priority -300; }; "
                        + "add rule inet watch leaks iifname fibre ip daddr \(far) counter",
                ])
                func leaked() throws -> Int {
                    let text = try world.tunnel.server.namespace.run([
                        "nft", "list", "chain", "inet", "watch", "leaks",
                    ])
                    let match = try #require(text.firstMatch(of: /packets (\d+)/))
                    return try #require(Int(match.1))
                }
                let mangle = "add chain ip other out { type route hook output priority mangle; }"
                try nft("add table ip other", mangle, "add rule ip other out ip daddr \(far) meta mark set 7")
                #expect(try !leaks(far))
                #expect(try leaked() == 0)
                // With the tunnel's own mark, which also leads outside, to a host other than its server.
                try nft(
                    "flush chain ip other out", "add rule ip other out ip daddr \(far) meta mark set 0xb0dd")
                #expect(try !leaks(far))
                #expect(try leaked() == 0)
                try nft("delete table ip other")
                let nat = "add chain ip other out { type nat hook output priority -100; }"
                try client.ip("route add \(far) via \(world.outside[0]) dev fibre")
                // Otherwise bondd would route it back into the tunnel.
                try client.ip("rule add to \(far) lookup main priority 5000")
                try nft(
                    "add table ip other", nat, "add rule ip other out ip daddr 10.77.0.99 dnat to \(far)")
                #expect(try !leaks("10.77.0.99"))
                #expect(try leaked() == 0)
                try nft("delete table ip other")
                // Repeated changes by others are undone at once each time.
                for _ in 0..<10 {
                    try client.run(["nft", "delete", "table", "inet", "bondd_killswitch"])
                    usleep(100_000)
                    #expect(try world.ruleset().contains("table inet bondd_killswitch"))
                }
                #expect(try PingRun.run(from: client, to: Tunnel.serverAddress, count: 5).loss == 0)
                _ = try world.bondd.command(["unlock"])
                #expect(try PingRun.run(from: client, to: far, count: 5).loss == 0)
                #expect(try leaked() > 0, "what is counted is not what leaves")
            }
        }

        /// After a boot there is no table, and the file may be damaged; and the tunnel may have been renamed.
        @Test func holdsWithADamagedFileAndFollowsTheName() throws {
            try inWorld { world in
                let namespace = world.client.namespace
                func table(_ name: String) throws -> Bool {
                    try namespace.run(["nft", "list", "tables"]).split(separator: "\n").contains {
                        $0 == "table inet \(name)"
                    }
                }
                /// Runs bondd until it gives up.
                func fail() throws {
                    try world.bondd.start()
                    try wait(seconds: 3, "the end of bondd") { !world.bondd.isRunning }
                }
                try world.tunnel.start()
                let good = world.client.file.text
                for damage in [good + "kil_switch =\n", good.replacing("\"key\"", with: "\"no-key\"")] {
                    world.bondd.kill()
                    try namespace.run(["nft", "flush", "ruleset"])
                    try world.bondd.configure(damage)
                    try fail()
                    #expect(try table("bondd_killswitch"))
                    let count = try world.arrived()
                    try world.tryToLeak()
                    #expect(try world.arrived() == count)
                    // The server is reachable as soon as the file is correct.
                    try world.bondd.configure(good)
                    try world.bondd.start()
                    try world.client.waitUntilWhole()
                }
                // Once lifted by hand it stays lifted.
                world.bondd.kill()
                try world.bondd.configure(good + "kil_switch =\n")
                let unlock = try world.bondd.command([
                    "unlock", "--state-dir", world.bondd.stateDirectory,
                ])
                #expect(unlock.output.contains("is lifted"))
                try fail()
                #expect(try !table("bondd_killswitch"))
                // The interface is renamed, and another one is not a tunnel.
                try world.bondd.configure(good)
                try world.bondd.start()
                try world.client.waitUntilWhole()
                world.bondd.kill()
                try world.bondd.configure(good.replacing("bond0", with: "tun7"))
                try world.bondd.start()
                try world.client.waitUntilWhole()
                #expect(try table("bondd_killswitch.tun7") && !table("bondd_killswitch"))
                // The kill switch of a dead daemon can be lifted by hand, and everything else is removed by
                // cleanup, whatever the file contains by then.
                world.bondd.kill()
                try namespace.ip("link add bond0 type veth peer name other")
                try world.bondd.configure(good)
                let cleanup = try world.bondd.command([
                    "cleanup", "--config", world.bondd.file, "--state-dir", world.bondd.stateDirectory,
                ])
                #expect(cleanup.status == .exited(0))
                #expect(try !table("bondd_return.tun7"))
                #expect(try table("bondd_killswitch.tun7"))
                _ = try world.bondd.command(["unlock", "--state-dir", world.bondd.stateDirectory])
                let claims = world.bondd.log.split(separator: "the kill switch is on").count
                try fail()
                #expect(try !table("bondd_killswitch"))
                #expect(world.bondd.log.split(separator: "the kill switch is on").count == claims)
                #expect(world.bondd.log.contains("the interface bond0 exists"))
            }
        }

        /// With `kill_switch_lan` the LAN is reachable and reaches this host, but nothing beyond it is.
        @Test func theLANMayBeLetBe() throws {
            try inWorld { world in
                let (client, server) = (world.client.namespace, world.tunnel.server.namespace)
                let guest = try world.tunnel.lab.namespace("guest")
                let lan = try world.tunnel.lab.veth("lan", from: guest, to: client)
                let own = [lan.addresses.ipv4(.server), lan.addresses.ipv6(.server)]
                let neighbours = [lan.addresses.ipv4(.client), lan.addresses.ipv6(.client)]
                // Beyond the LAN and beyond an uplink's, and a part of the LAN that is behind a router.
                let beyond = ["10.210.0.1", "192.0.2.9"]
                try guest.ip("addr add \(beyond[0]) dev lo")
                try server.ip("addr add \(beyond[1]) dev lo")
                try client.ip("route add \(beyond[0]) via \(neighbours[0])")
                try client.ip("route add \(beyond[1]) via \(world.outside[0])")
                try world.client.change { $0.killSwitch = false }
                try world.tunnel.start()
                func isReached(_ address: String) throws -> Bool {
                    (try? TCPProbe(from: guest, to: client, address))?.carries(milliseconds: 2000) ?? false
                }
                func reaches(_ address: String) throws -> Bool {
                    try !PingRun.run(from: client, to: address, count: 3).replies.isEmpty
                }
                for address in own { #expect(try isReached(address)) }
                // The response to a reload says who is cut off.
                try world.client.change { $0.killSwitch = true }
                let check = try world.bondd.command(["run", "--check", "--config", world.bondd.file])
                #expect(check.status == .exited(0) && check.errors.contains("kill_switch_lan = true"))
                let answer =
                    try ControlClient.ask(.reload, path: world.bondd.socket, timeout: 5000) as Response
                guard case .warned(let notices) = answer else {
                    Issue.record("\(answer)")
                    return
                }
                #expect(notices.contains { $0.contains("including the LAN") })
                for address in own { #expect(try !isReached(address)) }
                try world.client.change { $0.killSwitchLAN = true }
                world.bondd.signal(SIGHUP)
                try wait(seconds: 2, "a reload") {
                    try isReached(own[0])
                }
                for address in own { #expect(try isReached(address)) }
                for address in neighbours + world.outside { #expect(try reaches(address), "\(address)") }
                for address in beyond { #expect(try !reaches(address), "\(address)") }
                // Changes of networks are followed.
                try client.ip("addr add 172.20.5.1/24 dev lan")
                try guest.ip("addr add 172.20.5.2/24 dev \(lan.interface(.client))")
                try wait(seconds: 2, "the new network") { try isReached("172.20.5.1") }
                // They stay reachable when bondd is dead, also with a damaged file.
                world.bondd.kill()
                for address in own { #expect(try isReached(address)) }
                try client.run(["nft", "flush", "ruleset"])
                try world.bondd.configure("[tunnel]\n")
                try world.bondd.start()
                try wait(seconds: 3, "the end of bondd") { !world.bondd.isRunning }
                for address in own { #expect(try isReached(address)) }
                for address in beyond { #expect(try !reaches(address), "\(address)") }
            }
        }

        /// Switched on during a session whose server was found by name; and two tunnels on one host.
        @Test func theSessionAndOtherTunnelsGoOn() throws {
            try inWorld { world in
                // A name that needs no name server: 10.100.0.2 in hexadecimal.
                let name = "0x0a640002:5000"
                try world.client.change { file in
                    file.killSwitch = false
                    file.endpoints = [name]
                    file.paths.removeLast()
                    file.paths[0].endpoint = name
                }
                let phone = try world.tunnel.client("phone", wires: ["air"])
                var text = phone.file.text.replacing("bond0", with: "bond1").replacing(
                    "\"air\"", with: "\"fibre\"")
                text.replace(phone.file.paths[0].endpoint, with: "10.100.0.2:5000")
                text.replace("private_key_file", with: "kill_switch = true\nprivate_key_file")
                try world.tunnel.server.start()
                try world.bondd.start()
                try world.client.waitUntilWhole()
                try world.client.change { $0.killSwitch = true }
                world.bondd.signal(SIGHUP)
                try wait(seconds: 2, "the kill switch") { world.bondd.log.contains("the kill switch is on") }
                func isUp(_ interface: String) throws -> Bool {
                    try world.client.namespace.spawn([
                        "ping", "-c3", "-i.2", "-W1", "-I", interface, Tunnel.serverAddress,
                    ])
                    .wait(seconds: 5).isSuccess
                }
                #expect(try isUp("bond0"))
                #expect(try !world.ruleset().contains("\n\t\tudp dport 53"))
                world.bondd.kill()
                try world.bondd.start()
                try world.client.waitUntilWhole()
                // The other one has its key and configuration from its own client.
                let second = try Bondd("second", Program(), in: world.client.namespace)
                defer { second.kill() }
                let key = try Child.run(["cat", "\(phone.bondd.scratch.path)/key"])
                try second.scratch.write(key, to: "key")
                try second.configure(text)
                try second.start()
                try second.wait(for: "a session") { $0.isWhole }
                for interface in ["bond0", "bond1"] { #expect(try isUp(interface)) }
                for (bondd, interface) in [(world.bondd, "bond0"), (second, "bond1")] {
                    bondd.kill()
                    try bondd.start()
                    try bondd.wait(for: "a session") { $0.isWhole }
                    #expect(try isUp(interface))
                }
                world.bondd.kill()
                second.kill()
                try second.start()
                try second.wait(for: "a session") { $0.isWhole }
            }
        }
    }
}
