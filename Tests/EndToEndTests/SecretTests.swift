import Glibc
import Lab
import Testing

extension EndToEndTests {
    /// The preshared key that a client gets when it joins.
    @Suite("Secrets") struct Secrets {
        /// It is in use from the first session on; a rotation during a ping gives the client another one, which
        /// it uses after a restart; a second rotation within a day is refused.
        @Test func aJoinedClientHasAKeyAndARotationGivesItAnother() throws {
            let household = try Household()
            defer { household.close() }
            let client = try household.client("boat")
            try household.join(client, try household.makeServer())
            let file = "\(client.state)/bond0.secrets"
            var facts = stat()
            #expect(stat(file, &facts) == 0 && facts.st_mode & 0o777 == 0o600)
            func generation(_ host: Household.Host) throws -> Int? {
                let status = try host.command(["status", "--json"]).output
                #expect(status.contains(#""post_quantum":"psk""#), "\(status)")
                return status.firstMatch(of: /"secret_generation":(\d+)/).flatMap { Int($0.1) }
            }
            let first = try #require(try generation(client))
            #expect(try generation(household.server) == first)
            #expect(try client.command(["status"]).output.contains("post-quantum psk"))

            let control = try Program("bondd-control").path
            func rotate() throws -> Child {
                let child = try household.server.namespace.spawn([
                    control, "rotate-secrets", "--socket", household.server.socket,
                ])
                try child.wait(seconds: 20)
                return child
            }
            let pings = try PingRun.start(from: client.namespace, to: "10.77.0.1", count: 400)
            usleep(500_000)
            let rotation = try rotate()
            #expect(rotation.status == .exited(0), "\(rotation.output) \(rotation.errors)")
            try wait(seconds: 10, "the new key") {
                try !client.namespace.run(["cat", file]).contains("[{\"generation\":\(first),")
            }
            let run = pings.finish()
            measured("pings lost over a rotation", Double(run.lost), "of \(run.sent)")
            #expect(run.loss <= 0.01)
            let second = try rotate()
            #expect(second.status == .exited(1) && second.errors.contains("less than a day ago"))

            client.end("bondd", SIGKILL)
            try client.start("bondd")
            try wait(seconds: 8, "a session") { try client.command(["status"]).output.contains("  up  mode") }
            let new = try #require(try generation(client))
            #expect(try new > first && generation(household.server) == new)
            try household.reachesTheInternet(client)

            // The server knows both generations without bondd-control.
            household.server.end("bondd-control")
            household.server.end("bondd", SIGKILL)
            try household.server.start("bondd")
            try wait(seconds: 15, "a session") {
                try household.server.command(["status"]).output.contains("  up  mode")
            }
            #expect(try generation(household.server) == new)
            let log =
                client.log("bondd") + household.server.log("bondd") + household.server.log("bondd-control")
            let secrets = try client.namespace.run(["cat", file]).matches(of: /"key":"([^"]+)"/)
            #expect(secrets.count == 2 && !secrets.contains { log.contains($0.1) })
        }
    }
}
