import ControlProtocol
import Foundation
import Glibc
import Lab
import Testing

extension EndToEndTests {
    /// Services behind the tunnel, from the control plane to the target host: users on the internet visit a
    /// client.
    @Suite("Services") struct Services {
        /// A user on the internet visits the client's host, through the kernel and through bondd-control, over
        /// both IP versions; the host learns the caller's address; and if an uplink dies during a download the
        /// rest arrives over the other.
        @Test func usersReachTheHostBehindTheTunnel() throws {
            try ServicePlaneWorld.run { world in
                let plain = try world.host(port: 8000)
                let proxied = try world.host(port: 8001, proxy: true)
                try world.plane.start()
                try world.plane.tell(
                    "replay",
                    [
                        "messages": [
                            ControlPlaneServer.push(1, 8080, to: "10.77.0.2", 8000),
                            ControlPlaneServer.push(
                                2, 8081, to: "", 0,
                                ["targets": [["host": "10.77.0.2", "port": 8001, "proxy_protocol": 2]]]),
                            ControlPlaneServer.push(3, 8082, to: "127.0.0.1", 22),
                        ]
                    ])
                try world.enrol()
                try world.waitFor(ways: ["1": "kernel", "2": "userspace"])
                let refused = try world.services().rules.first { $0.rule == "3" }
                #expect(refused == nil || refused?.state == "failed")
                let reasons = world.plane.said("status").compactMap { $0["reason"] as? String }
                #expect(reasons.contains("invalid_target_host"), "\(reasons)")

                let user = world.household.ways[0].to
                for port in [8080, 8081] {
                    let outcome = try world.get(3_000_000, port: port)
                    #expect(outcome.right == true && outcome.count == 3_000_000)
                }
                #expect(try Visit.callers(plain).last?.peer == user)
                #expect(try Visit.callers(proxied).last?.caller == user)
                // The rule's target is IPv4, so only bondd-control can carry IPv6 callers.
                #expect(try world.get(100_000, port: 8081, over: world.address6).right == true)
                #expect(try Visit.callers(proxied).last?.caller == world.household.ways[1].to)

                for (port, way) in [(8080, "kernel"), (8081, "userspace")] {
                    let link = world.household.links[0]
                    let bytes = 25_000_000
                    let child = try Visit.get(bytes, from: world.household.internet, world.address, port)
                    usleep(1_500_000)
                    try #require(child.isRunning)
                    try link.setCarrier(false)
                    let outcome = try Visit.outcome(child)
                    measured("\(way), an uplink dies in mid-download: longest silence", outcome.longest, "ms")
                    #expect(outcome.right == true && outcome.count == bytes)
                    try link.setCarrier(true)
                    try wait(seconds: 15, "both paths") {
                        try world.client.command(["status", "--json"]).output
                            .components(separatedBy: "\"up\"").count >= 4
                    }
                }
                #expect(world.plane.said("fault").isEmpty, "\(world.plane.said("fault"))")
            }
        }

        /// A rule that gains a limit is carried by bondd-control from then on, one that loses it by the kernel again, and
        /// connections from either time continue.
        @Test func aLimitMovesARuleWithoutALoss() throws {
            try ServicePlaneWorld.run { world in
                _ = try world.host(port: 8000)
                try world.plane.start()
                let rule = ControlPlaneServer.push(1, 8080, to: "10.77.0.2", 8000)
                try world.plane.tell("replay", ["messages": [rule]])
                try world.enrol()
                try world.waitFor(ways: ["1": "kernel"])
                let first = try Visit.echo(9, from: world.household.internet, world.address, 8080)
                usleep(1_000_000)
                let limited = ControlPlaneServer.push(
                    1, 8080, to: "10.77.0.2", 8000, ["rate_limit": ["bandwidth_out_bps": "1048576"]])
                try world.plane.tell("send", ["message": limited])
                try world.waitFor(ways: ["1": "userspace"])
                let second = try Visit.echo(7, from: world.household.internet, world.address, 8080)
                // The first second's worth may arrive at once.
                let start = Clock.monotonic
                let outcome = try world.get(6 << 20, port: 8080)
                let seconds = Clock.monotonic - start
                measured("1 MiB/s: 6 MiB take", seconds, "s, 5 wanted")
                #expect(outcome.right == true && (4.75...5.6).contains(seconds))
                try world.plane.tell(
                    "send",
                    [
                        "message": ControlPlaneServer.push(
                            1, 8080, to: "10.77.0.2", 8000, ["rate_limit": [:]])
                    ])
                try world.waitFor(ways: ["1": "kernel"])
                for child in [first, second] {
                    let outcome = try Visit.outcome(child)
                    measured("a connection beside the moves: longest answer", outcome.longest, "ms")
                    #expect(outcome.count > 40)
                }
                #expect(world.plane.said("fault").isEmpty, "\(world.plane.said("fault"))")
            }
        }

        /// Rules of the file: a reload keeps connections of unchanged ones.
        @Test func rulesOfTheFileAreReloaded() throws {
            let household = try Household()
            defer { household.close() }
            let client = try household.client("boat")
            try household.join(client, try household.makeServer())
            let service = try Visit.host(client.namespace, port: 8000)
            let text = try String(contentsOfFile: household.server.config, encoding: .utf8)
            func write(_ rules: String) throws {
                try (text + "\n" + rules).write(
                    toFile: household.server.config, atomically: true, encoding: .utf8)
            }
            func rule(_ name: String, _ port: Int, _ more: String = "") -> String {
                "[[rule]]\nname = \"\(name)\"\nprotocol = \"tcp\"\nlisten_port = \(port)\ntarget = \"10.77.0.2:8000\"\n\(more)\n"
            }
            // One carried by the kernel, one by bondd-control.
            let probed = "health_check_interval_secs = 1"
            try write(rule("web", 8080) + rule("probed", 8081, probed))
            household.server.end("bondd-control")
            try household.server.start("bondd-control")
            let address = household.ways[0].seen
            for port in [8080, 8081] {
                try wait(seconds: 10, "port \(port)") {
                    let child = try Visit.get(1000, from: household.internet, address, port)
                    try child.wait(seconds: 15)
                    return child.status == .exited(0)
                }
            }
            let kept = try [8080, 8081].map { try Visit.echo(6, from: household.internet, address, $0) }
            usleep(700_000)
            try write(rule("web", 8080) + rule("probed", 8081, probed) + rule("new", 8083))
            household.server.signal("bondd-control", SIGHUP)
            try wait(seconds: 5, "the new rule") {
                let child = try Visit.get(1000, from: household.internet, address, 8083)
                try child.wait(seconds: 15)
                return child.status == .exited(0)
            }
            for child in kept { #expect(try Visit.outcome(child).count > 30) }
            #expect(try Visit.callers(service).contains { $0.peer == household.ways[0].to })

            func answers(_ port: Int) throws -> Bool {
                let child = try Visit.get(1000, from: household.internet, address, port)
                try child.wait(seconds: 15)
                return child.status == .exited(0)
            }
            // Another program has a port only on loopback: the rule has it on every other address.
            let mail = try household.server.namespace.spawn([
                "python3", "-c",
                "import socket, time\nlistener = socket.create_server(('127.0.0.1', 8084))\ntime.sleep(60)",
            ])
            defer { mail.kill() }
            try wait(seconds: 10, "the mail server") { household.server.namespace.isListening(port: 8084) }
            try write(rule("web", 8080) + rule("probed", 8081, probed) + rule("mail", 8084, probed))
            household.server.signal("bondd-control", SIGHUP)
            try wait(seconds: 10, "a port that another program has on loopback") { try answers(8084) }

            // Without bondd, a neighbor in the provider's network with the target's address gets no connection.
            let other = try household.lab.namespace("neighbour")
            let provider = try household.lab.veth("provider", from: household.server.namespace, to: other)
            try other.ip("address add 10.77.0.2/32 dev lo")
            try other.ip("route add default via \(provider.addresses.ipv4(.client))")
            try household.server.namespace.ip(
                "route add 10.77.0.0/24 via \(provider.addresses.ipv4(.server)) metric 5000")
            let neighbour = try Visit.host(other, port: 8000)
            household.server.end("bondd", SIGKILL)
            // Through the kernel, whose table outlives a kill, and through bondd-control, whose probes continue.
            let kernel = try Visit.get(1000, from: household.internet, address, 8080)
            for _ in 0..<3 {
                usleep(900_000)
                #expect(try !answers(8081))
            }
            #expect(kernel.status != .exited(0))
            kernel.kill()
            #expect(try Visit.callers(neighbour).isEmpty)
            let path = ControlServicePath.asked(of: household.server.socket)
            if case .services(let rules, _) = try ControlClient.ask(.services, path: path)
                as ControlServiceResponse
            {
                // That says nothing about the target.
                #expect(rules.first { $0.rule == "probed" }?.targets.first?.isHealthy == true)
            }
            try household.server.start("bondd")
            try wait(seconds: 30, "the service after bondd's restart") { try answers(8081) }
        }
    }
}
