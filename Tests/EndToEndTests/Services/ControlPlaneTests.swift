import ControlProtocol
import Foundation
import Glibc
import Lab
import Testing

/// A suite of its own, as it exceeds the time limit of end-to-end tests: it waits for the control plane's own
/// timeouts.
@Suite("Control plane", .timeLimit(.minutes(4))) struct ControlPlaneTests {
    /// The control plane is killed for a minute, comes back with fewer rules, and is replaced by an impostor:
    /// running rules continue, those no longer named end, and the impostor learns nothing. bondd-control
    /// carries all rules without it after a kill and restart.
    @Test func theControlPlaneComesAndGoes() throws {
        try ServicePlaneWorld.run { world in
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

            // bondd-control is killed: the kernel's rule is unaffected; all are back without the control plane.
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

            // It no longer knows this server: that is reported, and services and the tunnel continue.
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
}
