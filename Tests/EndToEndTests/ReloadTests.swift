import Glibc
import Lab
import Testing

extension EndToEndTests {
    /// SIGHUP: the file is read again while traffic flows.
    @Suite("Reload", .lane(.waitingToo)) struct Reload {
        @Test func aClientsModeAndRoles() throws {
            try withTunnel(fibreAndLTE) { tunnel, client in
                let ping = try PingRun.start(from: client.namespace, to: Tunnel.serverAddress, count: 100)
                try client.change { file in
                    file.mode = "redundant"
                    file.paths[1].role = "backup"
                }
                client.bondd.signal(SIGHUP)
                try client.bondd.wait(for: "mode redundant and role backup", seconds: 2) { status in
                    status.mode == "redundant" && status.path("lte")?.role == "backup"
                }
                #expect(ping.finish().lost == 0)
            }
        }

        @Test func aClientsPathsComeAndGo() throws {
            let tunnel = try Tunnel()
            defer { tunnel.close() }
            let client = try tunnel.client("laptop", uplinks: fibreAndLTE)
            let both = client.file.paths
            try client.change { $0.paths = [both[0]] }
            try tunnel.start()
            let ping = try PingRun.start(from: client.namespace, to: Tunnel.serverAddress, count: 300)
            try client.change { $0.paths = both }
            client.bondd.signal(SIGHUP)
            try client.bondd.wait(for: "lte to be up", seconds: 3) { $0.path("lte")?.state == "up" }
            try client.change { $0.paths = [both[1]] }
            client.bondd.signal(SIGHUP)
            try client.bondd.wait(for: "fibre to be gone", seconds: 2) { status in
                status.isWhole && status.sessions[0].paths.map(\.name) == ["lte"]
            }
            let run = ping.finish()
            measured("paths exchanged: lost pings of 300", Double(run.lost), "")
            #expect(run.lost <= 10 && run.replies.last?.sequence == 300)
            #expect(try client.bondd.status().sessions[0].paths.map(\.name) == ["lte"])
        }

        @Test func aServersClientsComeAndGoAndOthersDoNotNotice() throws {
            let tunnel = try Tunnel()
            defer { tunnel.close() }
            let laptop = try tunnel.client("laptop", uplinks: fibreAndLTE)
            try tunnel.start()
            let ping = try PingRun.start(from: laptop.namespace, to: Tunnel.serverAddress, count: 500)
            let van = try tunnel.client("van", uplinks: ["sat=50/20"])
            tunnel.server.signal(SIGHUP)
            usleep(200_000)
            try van.bondd.start()
            try van.waitUntilWhole()
            #expect(try PingRun.run(from: van.namespace, to: Tunnel.serverAddress, count: 10).loss == 0)
            try tunnel.changeServer { $0.clients.removeAll { $0.name == "van" } }
            tunnel.server.signal(SIGHUP)
            try tunnel.server.wait(for: "van to be gone", seconds: 2) { $0.session("van") == nil }
            #expect(try PingRun.run(from: van.namespace, to: Tunnel.serverAddress, count: 10).loss == 1)
            let run = ping.finish()
            #expect(run.lost == 0 && run.duplicates == 0 && run.largestGap < 100)
            #expect(try tunnel.server.status().session("van") == nil)
        }

        @Test(arguments: [
            ("mode = \"stripe\"", "mode = \"fast\"", "bondd.toml:4: "),
            ("interface = \"bond0\"", "interface = \"bond0\"\ncolour = \"red\"", "bondd.toml:4: "),
            ("[tunnel]", "[tunnel", "bondd.toml:1: "),
            ("interface = \"bond0\"", "interface = \"other\"", "restart"),
            ("private_key_file = \"key\"", "private_key_file = \"nowhere\"", "nowhere"),
        ]) func aBadFileChangesNothingAndIsExplained(old: String, new: String, words: String) throws {
            try withTunnel(["fibre=100/5"]) { tunnel, client in
                for bondd in [client.bondd, tunnel.server] {
                    let ping = try PingRun.start(
                        from: client.namespace, to: Tunnel.serverAddress, count: 60)
                    let text = bondd === client.bondd ? client.file.text : tunnel.serverFile.text
                    let broken = text.replacing(old, with: new)
                    #expect(broken != text)
                    try bondd.configure(broken)
                    bondd.signal(SIGHUP)
                    try bondd.child?.waitForOutput("the configuration is not changed", seconds: 2)
                    #expect(bondd.log.contains(words), "\(bondd.log)")
                    #expect(ping.finish().lost == 0)
                    #expect(try bondd.status().mode == "stripe")
                    try bondd.configure(text)
                }
            }
        }
    }
}
