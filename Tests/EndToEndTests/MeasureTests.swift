import Foundation
import Lab
import Testing

extension EndToEndTests {
    /// `bondd bench` over links with known properties.
    @Suite("bondd bench") struct MeasureTests {
        private struct Report: Decodable {
            struct Path: Decodable {
                var name: String
                var rtt_idle_ms: Double
                var rtt_loaded_ms: Double
                var up_mbit: Double
                var down_mbit: Double
                var loss_up: Double
                var loss_down: Double
            }
            struct Bond: Decodable {
                var up_mbit: Double
                var down_mbit: Double
                var repaired: Bool
            }
            var paths: [Path]
            var bond: Bond
            var skipped: [String]
        }

        /// The share of a link's rate for a test packet of 1280 bytes: shim, header, tag, UDP/IPv4 and Ethernet
        /// take 86.
        private static let share = 1280.0 / 1366

        private func isNear(_ value: Double, _ truth: Double) -> Bool {
            (0.85...1.15).contains(value / truth)
        }

        /// Figures more than 15 % off the true value.
        private func faults(_ report: Report) -> [String] {
            var faults: [String] = []
            func check(_ isRight: Bool, _ what: String) { if !isRight { faults.append(what) } }
            for (path, truth) in zip(report.paths, [(20.0, 40.0, 0.0, 20.0), (19.6, 19.6, 0.02, 60)]) {
                check(isNear(path.up_mbit, truth.0 * Self.share), "up: \(path)")
                check(isNear(path.down_mbit, truth.1 * Self.share), "down: \(path)")
                let loss = max(abs(path.loss_up - truth.2), abs(path.loss_down - truth.2))
                check(loss < 0.01, "loss: \(path)")
                check(abs(path.rtt_idle_ms - truth.3) < 10, "idle: \(path)")
                check(path.rtt_loaded_ms < truth.3 + 60, "loaded: \(path)")
            }
            check(isNear(report.bond.up_mbit, 39.6 * Self.share), "up: \(report.bond)")
            check(isNear(report.bond.down_mbit, 59.6 * Self.share), "down: \(report.bond)")
            check(report.bond.repaired, "unrepaired")
            return faults
        }

        @Test func pathsAndBondAreWhatTheLinksAre() throws {
            let tunnel = try Tunnel(mode: "auto")
            defer { tunnel.close() }
            let client = try tunnel.client(
                "client", uplinks: ["fibre=40/10,up.rate=20", "lte=20/30,loss=2%", "spare=20/5"])
            try client.change { $0.paths[2].role = "metered" }
            try tunnel.start()
            // A busy machine makes links slow: the better of two attempts counts.
            var faults: [String] = []
            for _ in 0..<2 {
                let command = try client.bondd.command(["bench", "--json", "--seconds", "1.5"], seconds: 40)
                try #require(command.status == .exited(0), "\(command.errors)")
                let report = try JSONDecoder().decode(Report.self, from: Data(command.output.utf8))
                #expect(report.paths.map(\.name) == ["fibre", "lte"], "\(report)")
                #expect(report.skipped.count == 1 && report.skipped[0].contains("spare"), "\(report)")
                faults = self.faults(report)
                if faults.isEmpty { break }
            }
            #expect(faults.isEmpty, "\(faults)")
            // No test packet came out of the tunnel, and the tunnel is unchanged.
            #expect((tunnel.server.namespace.receivedBytes("bond0") ?? .max) < 10_000)
            let ping = try PingRun.run(from: client.namespace, to: Tunnel.serverAddress, count: 20)
            #expect(ping.lost == 0)
        }

        @Test func aServerStopsWhenItsClientIsGone() throws {
            let tunnel = try Tunnel(mode: "auto")
            defer { tunnel.close() }
            let client = try tunnel.client("client", uplinks: ["fibre=40/10"])
            try tunnel.start()
            let bench = try client.namespace.spawn(
                [Program().path, "bench", "--socket", client.bondd.socket, "--seconds", "8"])
            // Well into the downward measurement.
            usleep(12_000_000)
            bench.kill()
            usleep(1_000_000)
            let before = client.links[0].counters(.down).sentBytes
            usleep(1_000_000)
            #expect(client.links[0].counters(.down).sentBytes - before < 20_000)
        }

        @Test func aServerAndAClientWithoutSessionSayWhyNot() throws {
            let tunnel = try Tunnel()
            defer { tunnel.close() }
            let client = try tunnel.client("client", uplinks: ["fibre=40/10"])
            try tunnel.server.start()
            try tunnel.server.wait(for: "its socket") { $0.role == "server" }
            let onServer = try tunnel.server.command(["bench"])
            #expect(onServer.status == .exited(1) && onServer.errors.contains("on the client"))
            client.links[0].isDown = true
            try client.bondd.start()
            try client.bondd.wait(for: "its socket") { $0.role == "client" }
            let alone = try client.bondd.command(["bench"])
            #expect(alone.status == .exited(1) && alone.errors.contains("no session"))
        }
    }
}
