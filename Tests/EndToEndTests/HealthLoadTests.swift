import Foundation
import Lab
import Synchronization
import Testing

extension EndToEndTests {
    /// Requests to the health endpoint, and stalled connections there, do not slow the tunnel down. (Offloads
    /// do not matter.)
    @Suite(
        "Health under load", .enabled(if: ProcessInfo.processInfo.environment["BONDD_OFFLOAD"] != "off"))
    struct HealthLoad {
        /// Goodput of one flow in Mbit/s.
        private func goodput(_ tunnel: Tunnel, _ client: TunnelClient) throws -> Double {
            var plan = TCPFlow.Plan(to: Tunnel.serverAddress, seconds: 4)
            (plan.omit, plan.congestion) = (2, "cubic")
            return try TCPFlow.run(from: client.namespace, to: tunnel.server.namespace, plan).megabits
        }

        @Test func aThousandRequestsASecondAndStalledConnections() throws {
            try withTunnel(equalLinks) { tunnel, client in
                let server = tunnel.server
                let file = server.scratch.path + "/control.toml"
                try server.scratch.write(
                    tunnel.serverFile.text + "\n[health]\nlisten = \"127.0.0.1:8098\"\n", to: "control.toml")
                let control = try server.namespace.spawn([
                    Program("bondd-control").path, "run", "--config", file, "--socket", server.socket,
                    "--state-dir", server.scratch.path + "/control", "--user", "nobody",
                ])
                defer { control.stop() }
                try control.waitForOutput("serving health", seconds: 20)
                _ = try goodput(tunnel, client)
                var ratio = 0.0
                // Retries, as a burst of work elsewhere on the machine is not the tunnel's fault.
                for _ in 0..<2 where ratio < 0.97 {
                    let alone = try goodput(tunnel, client)
                    let load = try HealthCrowd(in: server.namespace, port: 8098, stalled: 200)
                    let beside = try goodput(tunnel, client)
                    let (answered, seconds) = load.stop()
                    ratio = max(ratio, beside / alone)
                    measured("requests a second", Double(answered) / seconds, "")
                    measured("goodput beside them", beside, "of \(alone) Mbit/s")
                    #expect(Double(answered) / seconds > 900)
                }
                #expect(ratio >= 0.97)
            }
        }
    }
}
