import Glibc
import Lab
import Testing

extension EndToEndTests {
    /// Whatever happens, traffic flows again within 3 s, both ways and without an operator.
    @Suite("Recovery") struct Recovery {
        /// What may happen, in words that end the sentence of a measurement.
        enum Event: String, CaseIterable, CustomTestStringConvertible {
            case clientKilled = "client killed and started again"
            case serverKilled = "server killed and started again"
            case serverRestarted = "server ended and started again"
            case interfaceReplaced = "the only interface deleted and made again"
            case addressChanged = "the only link's address changed"
            case clientStopped = "client stopped for 3 s (SIGSTOP)"
            case serverStopped = "server stopped for 3 s (SIGSTOP)"

            var testDescription: String { rawValue }
            /// With two links a change of one would be no trial.
            var uplinks: [String] {
                switch self {
                case .interfaceReplaced, .addressChanged: ["fibre=100/10"]
                default: fibreAndLTE
                }
            }
        }

        @Test(arguments: Event.allCases) func trafficFlowsAgain(after event: Event) throws {
            try withTunnel(event.uplinks) { tunnel, client in
                let watch = try Watch(tunnel, client, seconds: 7.5)
                let moment = try happen(event, tunnel, client)
                let silences = try watch.silences(after: moment, event.rawValue)
                #expect(silences.out <= 3000, "\(tunnel.server.log)\n\(client.bondd.log)")
                #expect(silences.in <= 3000, "\(tunnel.server.log)\n\(client.bondd.log)")
                #expect(tunnel.server.isRunning && client.bondd.isRunning)
                try client.waitUntilWhole(seconds: 2)
            }
        }

        /// Lets it happen and tells from when on the tunnel has what it needs.
        private func happen(_ event: Event, _ tunnel: Tunnel, _ client: TunnelClient) throws -> Double {
            switch event {
            case .clientKilled:
                client.bondd.kill()
                try client.bondd.start()
            case .serverKilled:
                tunnel.server.kill()
                try tunnel.server.start()
            case .serverRestarted:
                #expect(tunnel.server.stop() == .exited(0))
                try tunnel.server.start()
            case .interfaceReplaced:
                client.links[0].unplug(.client)
                usleep(1_000_000)
                try client.links[0].plug(.client)
            case .addressChanged:
                try client.namespace.ip(
                    "addr del 10.100.0.1/24 dev fibre\naddr add 10.100.0.7/24 dev fibre\n"
                        + "neigh replace 10.100.0.2 lladdr 02:b0:00:00:00:02 dev fibre nud permanent")
            case .clientStopped, .serverStopped:
                let bondd = event == .clientStopped ? client.bondd : tunnel.server
                bondd.signal(SIGSTOP)
                usleep(3_000_000)
                bondd.signal(SIGCONT)
            }
            return wallClock()
        }

        @Test func aClientThatStartsFirstFindsTheServer() throws {
            let tunnel = try Tunnel()
            defer { tunnel.close() }
            let client = try tunnel.client("laptop", uplinks: fibreAndLTE)
            try client.bondd.start()
            usleep(2_000_000)
            #expect(try client.bondd.status().sessions.first?.state == "connecting")
            let moment = wallClock()
            try tunnel.server.start()
            // Tries are 5 s and some jitter apart while nobody answers.
            try client.waitUntilWhole(seconds: 8)
            measured("server there to all paths up", wallClock() - moment, "s")
        }
    }
}
