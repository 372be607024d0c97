import Foundation
import Glibc
import Lab
import Messages
import Testing

extension EndToEndTests {
    /// Services behind the tunnel, from the control plane to the host that answers: users on the internet visit a client.
    @Suite("Services") struct Services {
        /// A server and a client made by two commands, and a control plane on the internet.
        private final class World {
            let household: Household
            let client: Household.Host
            let plane: ControlPlaneServer
            private(set) var hosts: [Child] = []

            var server: Household.Host { household.server }
            /// Where users find the server.
            var address: String { household.ways[0].seen }
            var address6: String { household.ways[1].seen }

            init() throws {
                household = try Household()
                client = try household.client("boat")
                plane = try ControlPlaneServer(
                    in: household.internet, address: household.wan.addresses.ipv4(.server))
                try household.join(client, try household.makeServer())
            }

            func close() {
                plane.close()
                household.close()
            }

            /// A service on the client's host.
            func host(port: Int, proxy: Bool = false) throws -> Child {
                let host = try Visit.host(client.namespace, port: port, proxy: proxy)
                hosts.append(host)
                return host
            }

            /// What `bondd services` tells.
            func services() throws -> (rules: [ServiceStatus], plane: PlaneStatus) {
                let path = ControlClient.gatewayPath(beside: server.socket)
                guard case .services(let rules, let plane) = try ControlClient.ask(.services, path: path)
                else {
                    throw Failure()
                }
                return (rules, plane)
            }
            struct Failure: Error {}

            func waitFor(plane state: String, seconds: Double = 20) throws {
                try wait(seconds: seconds, "the control plane, \(state)") {
                    try services().plane.state == state
                }
            }

            /// Waits until rules go their ways, by number or name.
            func waitFor(ways: [String: String], seconds: Double = 10) throws {
                try wait(seconds: seconds, "\(ways)") {
                    let now = try services().rules.filter { $0.state == "active" }
                    return Dictionary(uniqueKeysWithValues: now.map { ($0.rule, $0.way) }) == ways
                }
            }

            /// Enrols the server at the control plane, as a user does.
            func enrol(token: String = "token") throws {
                let uri = try plane.enrolmentURI(token: token)
                let child = try server.command(["portunus", "enroll", uri])
                try #require(child.status == .exited(0), "\(child.output) \(child.errors)")
                try waitFor(plane: "connected")
            }

            /// Visits a port of the server from the internet.
            func get(_ bytes: Int, port: Int, over address: String? = nil) throws -> Visit.Outcome {
                let child = try Visit.get(bytes, from: household.internet, address ?? self.address, port)
                return try Visit.outcome(child)
            }

            /// A visit that fails.
            func isClosed(port: Int) throws -> Bool {
                let child = try Visit.get(1, from: household.internet, address, port)
                try child.wait(seconds: 15)
                return child.status != .exited(0)
            }
        }

        private func inWorld(_ body: (World) throws -> Void) throws {
            guard ControlPlaneServer.python != nil else {
                print(
                    "skipped: services under a control plane, as there is no python3 with grpcio (scripts/fetch-grpcio)"
                )
                return
            }
            let world = try World()
            defer { world.close() }
            try body(world)
        }

        /// A user on the internet visits the client's host, by the kernel and by bondd-control, over both IP versions; the host
        /// learns the caller's address; and when an uplink dies in mid-download the rest comes by the other.
        @Test func usersReachTheHostBehindTheTunnel() throws {
            try inWorld { world in
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
                // The rule's target is IPv4, which only bondd-control can lead IPv6 to.
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
        /// connections of either time go on.
        @Test func aLimitMovesARuleWithoutALoss() throws {
            try inWorld { world in
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
                // The first second's worth may come at once.
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

        /// The control plane is killed for a minute, comes back with fewer rules, and is replaced by an impostor: what runs goes
        /// on, what is no longer named ends, and the impostor learns nothing. bondd-control killed and started again carries all
        /// rules without it.
        @Test(.timeLimit(.minutes(4))) func theControlPlaneComesAndGoes() throws {
            try inWorld { world in
                _ = try world.host(port: 8000)
                let proxied = try world.host(port: 8001, proxy: true)
                try world.plane.start()
                let target: [String: Any] = [
                    "targets": [["host": "10.77.0.2", "port": 8001, "proxy_protocol": 1]]
                ]
                let rules = [
                    ControlPlaneServer.push(1, 8080, to: "10.77.0.2", 8000),
                    ControlPlaneServer.push(2, 8081, to: "", 0, target),
                    ControlPlaneServer.push(3, 8082, to: "10.77.0.2", 8000),
                ]
                try world.plane.tell("replay", ["messages": rules])
                try world.enrol()
                let all = ["1": "kernel", "2": "userspace", "3": "kernel"]
                try world.waitFor(ways: all)

                let kernel = try Visit.echo(115, from: world.household.internet, world.address, 8080)
                let userspace = try Visit.echo(75, from: world.household.internet, world.address, 8081)
                usleep(500_000)
                world.plane.kill()
                try world.waitFor(plane: "connecting")
                sleep(25)
                let impostor = try ControlPlaneServer(
                    in: world.household.internet, address: world.plane.address)
                defer { impostor.close() }
                try impostor.start()
                try world.waitFor(plane: "wrong_certificate", seconds: 35)
                #expect(try world.services().plane.problem?.contains("certificate") == true)
                #expect(impostor.said("session").isEmpty && impostor.said("rejected").isEmpty)
                impostor.kill()
                #expect(try world.get(1000, port: 8080).right == true)
                #expect(try world.get(1000, port: 8081).right == true)
                sleep(25)
                #expect(kernel.isRunning && userspace.isRunning)

                // Back, with fewer rules, which it names again.
                try world.plane.start()
                try world.plane.tell("replay", ["messages": Array(rules.prefix(2))])
                try world.waitFor(plane: "connected", seconds: 40)
                #expect(try world.services().rules.count == 3)
                try world.waitFor(ways: all.filter { $0.key != "3" }, seconds: 40)
                #expect(try world.isClosed(port: 8082))

                // bondd-control is killed: the kernel's rule does not notice; all are back without the control plane.
                let outcome = try Visit.outcome(userspace)
                measured("userspace beside all that: longest answer", outcome.longest, "ms")
                world.plane.kill()
                world.server.end("bondd-control", SIGKILL)
                #expect(try world.get(1000, port: 8080).right == true)
                try world.server.start("bondd-control")
                try wait(seconds: 10, "bondd-control's rules") { (try? world.services().rules.count) == 2 }
                try world.waitFor(ways: all.filter { $0.key != "3" })
                #expect(try world.get(1000, port: 8081).right == true)
                #expect(try Visit.callers(proxied).last?.caller == world.household.ways[0].to)
                let last = try Visit.outcome(kernel)
                measured("kernel beside all that: longest answer", last.longest, "ms")

                // It knows this server no more: that is said, and services and the tunnel go on.
                try world.plane.start(token: "another")
                try world.waitFor(plane: "unauthorized", seconds: 40)
                #expect(try world.services().plane.problem?.contains("bondd portunus enroll") == true)
                #expect(try world.get(1000, port: 8080).right == true)
                let status = try world.client.command(["status"]).output
                #expect(status.contains("  up  mode"), "\(status)")
                // Enrolled again, it is back.
                try world.plane.tell("replay", ["messages": Array(rules.prefix(1))])
                try world.enrol(token: "fresh")
                try wait(seconds: 10, "rule 1") { try world.services().rules.contains { $0.rule == "1" } }
                #expect(world.plane.said("fault").isEmpty, "\(world.plane.said("fault"))")
            }
        }

        /// Rules of the file: a reload keeps connections of those that did not change.
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
            // One by the kernel, one by bondd-control.
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
        }
    }
}
