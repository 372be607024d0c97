import Glibc
import Lab
import Testing

extension EndToEndTests {
    /// Whatever happens, traffic flows again within 3 s, both ways and without an operator.
    @Suite("Recovery") struct Recovery {
        @Test(arguments: Mishap.allCases) func trafficFlowsAgain(after mishap: Mishap) throws {
            try withTunnel(mishap.uplinks) { tunnel, client in
                let watch = try Watch(tunnel, client, seconds: 7.5)
                try mishap.happen(to: tunnel, client)
                let silences = watch.silences(after: Clock.wall, mishap.rawValue)
                #expect(silences.out <= 3000, "\(tunnel.server.log)\n\(client.bondd.log)")
                #expect(silences.in <= 3000, "\(tunnel.server.log)\n\(client.bondd.log)")
                #expect(tunnel.server.isRunning && client.bondd.isRunning)
                try client.waitUntilWhole(seconds: 2)
            }
        }

        @Test func aClientThatStartsFirstFindsTheServer() throws {
            let tunnel = try Tunnel()
            defer { tunnel.close() }
            let client = try tunnel.client("laptop", uplinks: fibreAndLTE)
            try client.bondd.start()
            usleep(2_000_000)
            #expect(try client.bondd.status().sessions.first?.state == "connecting")
            let moment = Clock.wall
            try tunnel.server.start()
            // Attempts are 5 s and some jitter apart while there is no answer.
            try client.waitUntilWhole(seconds: 8)
            measured("server there to all paths up", Clock.wall - moment, "s")
        }
    }
}
