import Glibc
import Lab
import Testing

extension EndToEndTests {
    /// Monthly data caps.
    @Suite("Data caps", .lane(.waitingToo)) struct DataCaps {
        /// Sends 10 Mbit/s for `seconds`; returns the fraction lost.
        private func flood(_ tunnel: Tunnel, _ client: TunnelClient, seconds: Int) throws -> Double {
            try UDPFlow.run(
                from: client.namespace, to: tunnel.server.namespace, address: Tunnel.serverAddress,
                megabits: 10, seconds: seconds
            ).loss
        }

        /// Frames that cross a link in both directions in two seconds of traffic.
        private func framesUnderTraffic(
            _ tunnel: Tunnel, _ client: TunnelClient, link: Int
        ) throws -> UInt64 {
            func count() -> UInt64 {
                client.links[link].counters(.up).sent + client.links[link].counters(.down).sent
            }
            let before = count()
            #expect(try flood(tunnel, client, seconds: 2) < 0.02)
            return count() - before
        }

        @Test func aPathThatHasUsedItsDataUpIsLeftAloneThroughKillsAndRestarts() throws {
            let tunnel = try Tunnel(mode: "stripe")
            defer { tunnel.close() }
            let client = try tunnel.client("laptop", uplinks: ["lte=50/5", "dsl=50/20"])
            // 3 MB
            try client.change { $0.paths[0].dataCap = 0.003 }
            try tunnel.start()
            let first = try client.bondd.status().path("lte")
            #expect(first?.data_cap_gb == 0.003 && (first?.data_used_gb ?? 1) < 0.001)
            #expect(try flood(tunnel, client, seconds: 4) < 0.02)
            let used = try client.bondd.wait(for: "lte to be spent", seconds: 1) {
                $0.path("lte")?.state == "spent"
            }.path("lte")?.data_used_gb
            // The server's operator sees it, too.
            try tunnel.server.wait(for: "the client's word of it", seconds: 2) {
                $0.session("laptop")?.paths.first { $0.name == "lte" }?.state == "spent"
            }
            // The count matches the bytes on the link, except for 14 bytes of Ethernet in each frame, and ARP.
            let link = client.links[0]
            let bytes = [link.counters(.up), link.counters(.down)].reduce(0.0) {
                $0 + Double($1.sentBytes) - 14 * Double($1.sent)
            }
            measured("3 MB cap: used", (used ?? 0) * 1000, "MB")
            #expect(abs((used ?? 0) * 1e9 - bytes) < 3000, "\(bytes)")
            #expect((3.0...3.4).contains((used ?? 0) * 1000))
            for part in ["90 % of its monthly data", "used up its monthly data"] {
                #expect(client.bondd.log.split(separator: "\n").count { $0.contains(part) } == 1, "\(part)")
            }
            #expect(
                try tunnel.server.wait(for: "the server to know", seconds: 1) { status in
                    status.sessions.first?.paths.contains { $0.role == "never" } == true
                }.sessions.count == 1)
            #expect(try framesUnderTraffic(tunnel, client, link: 0) < 10)
            let table = try client.bondd.command(["status"]).output
            #expect(
                table.contains("spent") && table.contains(/data: lte 3\.\d MB of 3\.0 MB this month, used up/)
            )

            for end in ["kill", "stop"] {
                if end == "kill" { client.bondd.kill() } else { client.bondd.stop() }
                try client.bondd.start()
                try client.bondd.wait(for: "dsl alone") {
                    $0.sessions.first?.address == client.address && $0.path("dsl")?.state == "up"
                        && $0.path("lte")?.state == "spent"
                }
                #expect(try framesUnderTraffic(tunnel, client, link: 0) < 10, "\(end)")
            }
            try client.bondd.set("path.lte.data_cap", "0")
            try client.waitUntilWhole()
            #expect(try flood(tunnel, client, seconds: 4) < 0.02)
            #expect(try framesUnderTraffic(tunnel, client, link: 0) > 1000)
            #expect((try client.bondd.status().path("lte")?.data_used_gb ?? 0) > (used ?? 1) + 0.002)
            // After it is set again, it applies again; a reload of the file has the same effect.
            try client.bondd.set("path.lte.data_cap", "1")
            #expect(try client.bondd.status().path("lte")?.state == "up")
            client.bondd.signal(SIGHUP)
            try client.bondd.wait(for: "the file's cap", seconds: 2) { $0.path("lte")?.state == "spent" }
        }

        /// Killed during traffic: usage until a moment before is remembered.
        @Test func aKillLosesLittleAndADamagedFileIsNoReasonToStop() throws {
            let tunnel = try Tunnel(mode: "stripe")
            defer { tunnel.close() }
            let client = try tunnel.client("laptop", uplinks: ["lte=50/5", "dsl=50/20"])
            try client.change { $0.paths[0].dataCap = 0.02 }
            try tunnel.start()
            #expect(try flood(tunnel, client, seconds: 4) < 0.02)
            let before = try client.bondd.status().path("lte")?.data_used_gb ?? 0
            client.bondd.kill()
            try client.bondd.start()
            let after = try client.waitUntilWhole().path("lte")?.data_used_gb ?? 0
            measured("used before and after a kill", before * 1000, "MB, \(after * 1000) MB")
            #expect(before > 0.004 && after > before - 0.0025)
            client.bondd.kill()
            let file = "\(client.bondd.stateDirectory)/bond0.usage"
            _ = try client.bondd.scratch.write("month 2026-", to: "state/bond0.usage")
            try client.bondd.start()
            let anew = try client.waitUntilWhole().path("lte")?.data_used_gb ?? 1
            #expect(anew < 0.001 && access("\(file).bad", F_OK) == 0)
            #expect(client.bondd.log.split(separator: "\n").count { $0.contains("is damaged") } == 1)
            // A clock that was years ahead has used up the allowance: it counts for this month, until corrected
            // by the user.
            client.bondd.kill()
            _ = try client.bondd.scratch.write("month 2099-05\nlte 30000000\n", to: "state/bond0.usage")
            try client.bondd.start()
            try client.bondd.wait(for: "lte to be spent", seconds: 3) { $0.path("lte")?.state == "spent" }
            #expect(client.bondd.log.contains("a future month"))
            try client.bondd.set("path.lte.data_used", "0.001")
            let corrected = try client.waitUntilWhole().path("lte")?.data_used_gb ?? 1
            #expect((0.001...0.002).contains(corrected))
        }

        /// A state directory that is not writable is reported once, and the cap still applies.
        @Test func withoutADiskTheCapHoldsUntilTheNextStart() throws {
            let tunnel = try Tunnel(mode: "stripe")
            defer { tunnel.close() }
            let client = try tunnel.client("laptop", uplinks: ["lte=50/5", "dsl=50/20"])
            try client.change { $0.paths[0].dataCap = 0.001 }
            _ = try client.bondd.scratch.write("a file where the directory should be", to: "state")
            try tunnel.start()
            #expect(try flood(tunnel, client, seconds: 3) < 0.02)
            try client.bondd.wait(for: "lte to be spent", seconds: 1) { $0.path("lte")?.state == "spent" }
            #expect(try framesUnderTraffic(tunnel, client, link: 0) < 10)
            let complaints = client.bondd.log.split(separator: "\n").count {
                $0.contains("data use can't be saved")
            }
            #expect(complaints == 1, "\(client.bondd.log)")
        }

        @Test func theOnlyPathsDataIsUsedUp() throws {
            try withTunnel(["lte=50/5"]) { tunnel, client in
                // 20 kB: some 60 pings with their answers.
                try client.bondd.set("path.lte.data_cap", "0.00002")
                #expect(
                    try PingRun.run(from: client.namespace, to: Tunnel.serverAddress, count: 200).loss > 0)
                try client.bondd.wait(for: "lte to be spent", seconds: 1) { $0.path("lte")?.state == "spent" }
                let before = client.links[0].counters(.up).sent + client.links[0].counters(.down).sent
                usleep(2_000_000)
                let after = client.links[0].counters(.up).sent + client.links[0].counters(.down).sent
                #expect(after - before < 5)
                try client.bondd.set("path.lte.data_cap", "0.5")
                try client.waitUntilWhole()
                let ping = try PingRun.run(from: client.namespace, to: Tunnel.serverAddress, count: 20)
                #expect(ping.loss == 0)
            }
        }
    }
}
