import Glibc
import Lab
import Testing

extension EndToEndTests {
    /// Which paths carry what.
    @Suite("Modes and roles") struct Modes {
        /// Sends 10 Mbit/s for 2 s and returns each link's share of the bytes.
        private func parts(_ tunnel: Tunnel, _ client: TunnelClient) throws -> [Double] {
            let before = client.links.map { Double($0.counters(.up).sentBytes) }
            let flow = try UDPFlow.run(
                from: client.namespace, to: tunnel.server.namespace, address: Tunnel.serverAddress,
                megabits: 10, seconds: 2)
            #expect(flow.loss < 0.02)
            let bytes = zip(client.links, before).map { Double($0.counters(.up).sentBytes) - $1 }
            let flowBytes = Double(flow.sent * 1300)
            return bytes.map { ($0 / flowBytes * 1000).rounded() / 1000 }
        }

        @Test func redundantSendsAllOnEachPath() throws {
            try withTunnel(fibreAndLTE, mode: "redundant") { tunnel, client in
                let parts = try parts(tunnel, client)
                #expect(parts.allSatisfy { $0 > 1 }, "\(parts)")
            }
        }

        @Test func redundantMayUseTheBestPathAlone() throws {
            try withTunnel(["fibre=100/10", "lte=50/30", "sat=50/60"], mode: "redundant") { tunnel, client in
                try client.bondd.set("redundant_paths", "2")
                usleep(300_000)
                let two = try parts(tunnel, client)
                #expect(two[0] > 1 && two[1] > 1 && two[2] < 0.05, "\(two)")
                // The file does not set it, and says so when it is read again.
                client.bondd.signal(SIGHUP)
                usleep(300_000)
                let all = try parts(tunnel, client)
                #expect(all.allSatisfy { $0 > 1 }, "\(all)")
            }
        }

        @Test func preferredUsesTheBestPathAndTheOtherWhenItFails() throws {
            try withTunnel(fibreAndLTE, mode: "preferred") { tunnel, client in
                let before = try parts(tunnel, client)
                #expect(before[0] > 0.95 && before[1] < 0.1, "\(before)")
                client.links[0].isDown = true
                let after = try parts(tunnel, client)
                #expect(after[1] > 0.9, "\(after)")
            }
        }

        @Test(arguments: ["backup", "metered"]) func aBackupWaitsForItsTurn(role: String) throws {
            let tunnel = try Tunnel(mode: "stripe")
            defer { tunnel.close() }
            // The backup is the better link, so that only its role keeps it idle.
            let client = try tunnel.client("laptop", uplinks: ["adsl=20/30", "lte=50/10"])
            try client.change { $0.paths[1].role = role }
            try tunnel.start()
            #expect(try client.bondd.status().path("lte")?.role == role)
            let before = try parts(tunnel, client)
            #expect(before[0] > 0.95 && before[1] < 0.05, "\(before)")
            let ping = try PingRun.start(from: client.namespace, to: Tunnel.serverAddress, count: 250)
            usleep(800_000)
            client.links[0].isDown = true
            let run = ping.finish()
            measured("to the \(role) path: gap", run.largestGap, "ms")
            #expect(run.largestGap <= 300 && run.replies.last?.sequence == 250)
        }

        @Test func aPathThatIsNeverUsedStaysQuiet() throws {
            let tunnel = try Tunnel(mode: "redundant")
            defer { tunnel.close() }
            let client = try tunnel.client("laptop", uplinks: fibreAndLTE)
            try client.change { $0.paths[1].role = "never" }
            try tunnel.start()
            let before = try parts(tunnel, client)
            #expect(before[0] > 1 && before[1] == 0, "\(before)")
            // Not even if nothing else works. (The kernel itself sends a few IPv6 packets there.)
            client.links[0].isDown = true
            #expect(try PingRun.run(from: client.namespace, to: Tunnel.serverAddress, count: 100).loss > 0.9)
            #expect(client.links[1].counters(.up).sent < 10)
        }

        @Test func modeRoleAndCapAreSetWhileItRuns() throws {
            try withTunnel(fibreAndLTE) { tunnel, client in
                try client.bondd.set("mode", "redundant")
                #expect(try client.bondd.status().mode == "redundant")
                let each = try parts(tunnel, client)
                #expect(each.allSatisfy { $0 > 1 }, "\(each)")
                try client.bondd.set("mode", "stripe")
                try client.bondd.set("path.fibre.role", "never")
                usleep(300_000)
                let only = try parts(tunnel, client)
                #expect(only[0] == 0 && only[1] > 1, "\(only)")
                try client.bondd.set("path.fibre.role", "primary")
                try client.waitUntilWhole()
                try client.bondd.set("path.lte.role", "backup")
                usleep(300_000)
                let first = try parts(tunnel, client)
                #expect(first[0] > 0.95 && first[1] < 0.05, "\(first)")
                try client.bondd.set("path.fibre.cap", "4")
                try client.bondd.set("path.lte.role", "primary")
                usleep(300_000)
                // 4 of the 10 Mbit/s, plus headers.
                let capped = try parts(tunnel, client)
                #expect(capped[0] < 0.5 && capped[1] > 0.5, "\(capped)")
            }
        }

        @Test(arguments: [
            ["mode", "fast"], ["mode", ""], ["nonsense", "1"], ["path.fibre.role", "king"],
            ["path.nowhere.role", "never"], ["path.fibre.colour", "red"], ["path.fibre.cap", "1e9"],
            ["path.fibre.cap", "nan"], ["path.fibre.data_cap", "1e9"], ["path.fibre.data_cap", "much"],
            ["redundant_paths", "17"], ["redundant_paths", "1.5"], ["redundant_paths", "two"],
            ["path.fibre", "x"], ["", "x"],
        ]) func whatCannotBeSetIsRefusedInOneSentence(_ words: [String]) throws {
            try withTunnel(["fibre=100/5"]) { _, client in
                let before = try client.bondd.status().mode
                let child = try client.bondd.command(["set"] + words)
                #expect(child.status == .exited(1))
                #expect(child.errors.split(separator: "\n").count == 1 && child.errors.hasPrefix("bondd: "))
                #expect(child.output.isEmpty)
                #expect(try client.bondd.status().mode == before)
            }
        }
    }
}
