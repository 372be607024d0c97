import FoundationEssentials
import Glibc
import Lab
import Testing

extension EndToEndTests {
    /// A client that lies (`bondlab hostile`) against a real server, next to an honest client.
    @Suite("Hostile", .lane(.measuring)) struct Hostile {
        /// The final report of `bondlab hostile`.
        private struct Report: Decodable {
            var sent: Int
            var control: Int
            var received: Int
            var sessions: Int
            var closes: Int
            var silent: Int
            var late_silent: Int
        }

        /// The results of the honest client and the server in the meantime.
        private struct Figures {
            var ping: Double
            var lost: Int
            var megabits: Double
            var cpu: Double
            var seconds: Double
        }

        private struct Rig {
            let tunnel: Tunnel
            let honest: TunnelClient
            let mallory: TunnelClient

            /// Observes the honest client's pings and download for `seconds`, during which `body` runs.
            func observe(_ seconds: Int, _ body: () throws -> Void = {}) throws -> Figures {
                let server = tunnel.server
                let (start, cpu) = (Clock.monotonic, server.runningSeconds)
                let pings = try PingRun.start(
                    from: honest.namespace, to: Tunnel.serverAddress, count: seconds * 100)
                try body()
                // A download that does not end has no goodput.
                let flow = try? UDPFlow.run(
                    from: honest.namespace, to: server.namespace, address: Tunnel.serverAddress, megabits: 30,
                    seconds: seconds, reverse: true)
                let run = pings.finish()
                return Figures(
                    ping: run.quantile(0.95) ?? .infinity, lost: run.lost, megabits: flow?.megabits ?? 0,
                    cpu: server.runningSeconds - cpu, seconds: Clock.monotonic - start)
            }

            func liar(_ lie: String, megabits: Double, seconds: Double, options: [String] = []) throws
                -> Child
            {
                var command = [
                    try Program("bondlab").path, "hostile", "--server-key", tunnel.server.publicKey,
                    "--key-file",
                    "\(mallory.bondd.scratch.path)/key", "--lie", lie, "--mbit", "\(megabits)", "--seconds",
                    "\(seconds)",
                ]
                for link in mallory.links { command += ["--server", "\(link.addresses.ipv4(.server)):5000"] }
                return try mallory.namespace.spawn(command + options)
            }
        }

        private func withRig(_ body: (Rig) throws -> Void) throws {
            let tunnel = try Tunnel()
            defer { tunnel.close() }
            // A plain wire: an emulated link would use part of the CPU, too.
            let honest = try tunnel.client("laptop", wires: ["w0"])
            let mallory = try tunnel.client("mallory", uplinks: ["first=100/5", "second=100/5"])
            try tunnel.server.start()
            try honest.bondd.start()
            try honest.waitUntilWhole()
            try body(Rig(tunnel: tunnel, honest: honest, mallory: mallory))
        }

        /// A lie of 4 Mbit/s.
        private struct Flood {
            let lie: String
            /// Whether all that the server does for it is reading control frames.
            var isFrames = true
            var options: [String] = []
            var name: String { ([lie] + options).joined(separator: " ") }
        }

        private static let floods = [
            Flood(lie: "repair-equations"), Flood(lie: "repair-flood"),
            Flood(lie: "status-flaps", options: ["--no-download"]),
            Flood(lie: "status-flaps", isFrames: false),
            Flood(lie: "challenge-flood"),
            Flood(lie: "ack-flood", options: ["--no-download"]), Flood(lie: "ack-flood", isFrames: false),
            Flood(lie: "lying-pings"), Flood(lie: "mode-flaps"), Flood(lie: "roaming", isFrames: false),
            Flood(lie: "hoarding", isFrames: false), Flood(lie: "bench", isFrames: false),
        ]

        /// The most important lies at 4 Mbit/s each. The bound on the CPU time of control frames is 0.02 s a Mbit;
        /// a build that is slower than a release gets as much more as its data costs more. The other lies have
        /// the server send test packets, or are packets of 20 bytes.
        @Test func honestTrafficDoesNotNoticeFloods() throws {
            try withRig { rig in
                let server = rig.tunnel.server
                let alone = try rig.observe(3)
                measured("honest alone: ping", alone.ping, "ms")
                measured("honest alone: goodput", alone.megabits, "Mbit/s")
                let dataCost = alone.cpu / (alone.megabits * 3)
                measured("CPU of honest data", dataCost * 1000, "ms a Mbit")
                for flood in Self.floods {
                    let lie = flood.name
                    let liar = try rig.liar(flood.lie, megabits: 4, seconds: 3, options: flood.options)
                    usleep(700_000)
                    let figures = try rig.observe(2)
                    try liar.wait(seconds: 5)
                    let report = try JSONDecoder().decode(Report.self, from: Data(liar.output.utf8))
                    let sent = Double(report.sent) * 8 / 1e6 * figures.seconds / 3
                    let extra = max(figures.cpu - alone.cpu / alone.seconds * figures.seconds, 0)
                    let cost = extra / max(sent, 1)
                    measured("\(lie): ping", figures.ping, "ms")
                    measured("\(lie): goodput", figures.megabits, "Mbit/s")
                    measured("\(lie): CPU", cost * 1000, "ms a Mbit of \(sent.rounded())")
                    measured("\(lie): memory of the server", Double(server.residentKilobytes) / 1024, "MiB")
                    #expect(server.isRunning, "\(lie)")
                    #expect(report.sessions > 0, "\(lie): \(liar.errors)")
                    #expect(figures.megabits >= 0.95 * alone.megabits, "\(lie)")
                    #expect(figures.ping <= alone.ping + 10, "\(lie)")
                    let bound = flood.isFrames ? max(0.02, 10 * dataCost) : max(0.05, 20 * dataCost)
                    #expect(cost <= bound, "\(lie)")
                    #expect(server.residentKilobytes <= 128_000_000 / 1024, "\(lie)")
                }
                _ = try server.status()
                #expect(server.stop(within: 3) == .exited(0))
            }
        }

        /// A download towards an address that has fallen silent, acknowledged over another path.
        @Test func aSilentAddressIsLeftAlone() throws {
            try withRig { rig in
                let liar = try rig.liar("silent-address", megabits: 4, seconds: 9)
                let figures = try rig.observe(4)
                try liar.wait(seconds: 15)
                let report = try JSONDecoder().decode(Report.self, from: Data(liar.output.utf8))
                measured("to a silent address in all", Double(report.silent) / 1e6, "MB")
                measured("to a silent address after 3 s", Double(report.late_silent) * 8 / 1e6 / 4, "Mbit/s")
                print("silent address: \(report)")
                measured("honest ping meanwhile", figures.ping, "ms")
                #expect(rig.tunnel.server.isRunning && report.sessions > 0)
                #expect(report.silent <= 16_000_000)
                #expect(Double(report.late_silent) * 8 / 1e6 / 4 <= 1)
            }
        }
    }
}
