import Foundation
import Lab
import Testing

extension EndToEndTests {
    /// `bondd doctor` on hosts with problems, and the reports of `bondd status` about failing handshakes.
    @Suite("Doctor", .lane(.waiting)) struct Doctor {
        struct Finding: Decodable {
            var check: String
            var verdict: String
            var found: String
            var remedy: String?
        }
        struct Diagnosis: Decodable {
            var ok: Bool
            var findings: [Finding]

            func all(_ check: String) -> [Finding] { findings.filter { $0.check == check } }
        }

        private func doctor(_ bondd: Bondd, _ more: [String] = []) throws -> Child {
            let start = Date()
            let child = try bondd.command(
                ["doctor", "--config", bondd.file, "--state-dir", bondd.stateDirectory] + more, seconds: 20)
            #expect(Date().timeIntervalSince(start) < 15)
            return child
        }

        /// Writes its file with its own address.
        private func configure(_ client: TunnelClient, address: String) throws {
            let text = client.file.text
            try client.bondd.configure(
                text.replacingOccurrences(of: "[tunnel]\n", with: "[tunnel]\naddress = [\"\(address)/24\"]\n")
            )
        }

        private func diagnose(_ bondd: Bondd) throws -> Diagnosis {
            let child = try doctor(bondd, ["--json"])
            let diagnosis = try JSONDecoder().decode(Diagnosis.self, from: Data(child.output.utf8))
            #expect(child.status == .exited(diagnosis.ok ? 0 : 1))
            return diagnosis
        }

        @Test func findsWhatIsWrongWithAClient() throws {
            let world = try Internet()
            defer { world.close() }
            for i in 0..<2 { try world.addDefault(i, "metric \(100 + i)") }
            let (client, server) = (world.client, world.tunnel.server)
            try client.change { ($0.paths, $0.discovery) = ([], ["up*"]) }
            try client.namespace.run(["mkdir", "-p", client.bondd.stateDirectory])

            // Nothing is running.
            var diagnosis = try diagnose(client.bondd)
            #expect(!diagnosis.ok && diagnosis.all("bondd").first?.verdict == "fail")
            #expect(
                diagnosis.all("udp").map(\.verdict) == ["fail", "warn", "fail"], "\(diagnosis.all("udp"))")
            #expect(diagnosis.all("key").map(\.verdict) == ["fail"])
            #expect(
                diagnosis.all("config").map(\.verdict) == ["ok"]
                    && diagnosis.all("tun").map(\.verdict) == ["ok"])

            // The server is running: every uplink reaches every endpoint, and the key is accepted.
            try server.start()
            try server.wait(for: "the server", seconds: 5) { $0.role == "server" }
            diagnosis = try diagnose(client.bondd)
            // The second uplink's strict filter drops answers while bondd's rules are not in place.
            #expect(
                diagnosis.all("udp").map(\.verdict) == ["ok", "ok", "ok", "warn"], "\(diagnosis.all("udp"))")
            #expect(diagnosis.all("udp").last?.found.contains("reverse-path filter") == true)
            #expect(diagnosis.all("key").map(\.verdict) == ["ok"], "\(diagnosis.all("key"))")
            // Nothing is left behind.
            try wait(seconds: 3, "the end of the trial's session") { try server.status().sessions.isEmpty }

            try client.namespace.sysctl("net/ipv4/conf/all/rp_filter", "0")
            for i in 0..<2 { try client.namespace.sysctl("net/ipv4/conf/up\(i)/rp_filter", "0") }

            // IPv4 is dropped behind the second uplink, and IPv6 has no route there.
            try world.router.run([
                "nft",
                "add table inet lab; add chain inet lab f { type filter hook forward priority 0; }; "
                    + "add rule inet lab f iifname \"up1*\" udp dport 5000 drop; "
                    + "add rule inet lab f ip saddr 10.\(Internet.network(1)).0.0/24 udp dport 5000 drop; "
                    + "add rule inet lab f ip6 saddr fd00:\(Internet.network(1))::/64 udp dport 5000 drop",
            ])
            diagnosis = try diagnose(client.bondd)
            let udp = diagnosis.all("udp")
            #expect(udp.filter { $0.found.hasPrefix("up0") }.map(\.verdict) == ["ok", "ok"], "\(udp)")
            #expect(udp.filter { $0.found.hasPrefix("up1") }.map(\.verdict) == ["fail"], "\(udp)")
            #expect(udp.last?.remedy?.contains("curl --interface up1") == true)

            // A network on two links, a route past a full tunnel, a name that is taken.
            try client.namespace.ip(
                "link add dummy7 type veth peer name dummy8\naddr add 10.77.0.99/24 dev dummy7\nlink set dummy7 up"
            )
            try client.namespace.ip("route add 128.0.0.0/1 via \(Internet.gateway(0)) dev up0")
            try client.change { $0.routes = ["0.0.0.0/0", "::/0"] }
            try configure(client, address: client.address)
            try client.namespace.ip("link add bond0 type veth peer name bond1")
            // For people: 80 columns, and exit code 1.
            let child = try doctor(client.bondd)
            #expect(child.status == .exited(1) && child.errors.isEmpty, "\(child.errors)")
            for line in child.output.split(separator: "\n") { #expect(line.count <= 80, "\(line)") }
            let text = child.output.split(whereSeparator: \.isWhitespace).joined(separator: " ")
            for words in [
                "warn addresses the tunnel's network 10.77.0.0/24 overlaps 10.77.0.0/24 of dummy7",
                "128.0.0.0/1 by up0",
                "FAIL interface bond0 is another interface of this host (veth)",
                "FAIL udp up1: nothing answers at",
            ] { #expect(text.contains(words), "\(words): \(text)") }
        }

        /// All kinds of secrets that a host may have are planted; none is in the report.
        @Test func aReportHasNoSecrets() throws {
            let world = try Internet(uplinks: 1)
            defer { world.close() }
            try world.addDefault(0)
            let bondd = world.client.bondd
            let psk = "U2VjcmV0IHByZXNoYXJlZCBrZXkgb2YgMzIgYnl0ZXM="
            let token = "dG9rZW4gdG9rZW4gdG9rZW4gdG9rZW4"
            for (name, text) in [("psk", psk), ("token", token)] {
                try bondd.scratch.write(text + "\n", to: name)
                chmod("\(bondd.scratch.path)/\(name)", 0o600)
            }
            let link = "bondd://AQABhSDwCYkwp1R0i33ctD73"
            let private_ = try String(contentsOfFile: "\(bondd.scratch.path)/key", encoding: .utf8).prefix(44)
            var text = try String(contentsOfFile: bondd.file, encoding: .utf8)
            text = text.replacingOccurrences(
                of: "[server]\n", with: "[server]\npreshared_key_file = \"psk\"\n")
            text +=
                "\n# joined with \(link)\n# \(private_)\n[health]\nlisten = \"127.0.0.1:8098\"\ntoken_file = \"token\"\n"
            try bondd.configure(text)
            try world.tunnel.server.start()
            try bondd.start()
            try bondd.wait(for: "bondd", seconds: 5) { $0.role == "client" }
            let path = "\(bondd.scratch.path)/report"
            var child = try doctor(bondd, ["--report", path])
            let report = try String(contentsOfFile: path, encoding: .utf8)
            let facts = try FileManager.default.attributesOfItem(atPath: path)
            #expect(facts[.posixPermissions] as? Int == 0o600)
            for words in [
                "=== doctor", "=== status", "\"role\":\"client\"", "=== ip rule", "token_file = \"token\"",
                bondd.publicKey,
            ] {
                #expect(report.contains(words), "\(words) is missing")
            }
            for secret in [psk, token, String(private_), "AQABhSDw", "joined with"] {
                #expect(!report.contains(secret), "\(secret)")
                #expect(!child.output.contains(secret))
            }
            // It never overwrites a file.
            child = try doctor(bondd, ["--report", path])
            #expect(child.status == .exited(1) && child.errors.contains("exists and is not overwritten"))
            child = try doctor(bondd, ["--report", "/dev/full"])
            #expect(child.status == .exited(1))
        }

        private func notices(_ bondd: Bondd) throws -> String {
            let status =
                try JSONSerialization.jsonObject(with: Data(try bondd.statusText().utf8))
                as? [String: Any]
            return ((status?["notices"] as? [String] ?? []) + (status?["problems"] as? [String] ?? []))
                .joined(separator: "\n")
        }
        private func expect(_ bondd: Bondd, _ words: String) throws {
            var last = ""
            for _ in 0..<400 {
                last = (try? notices(bondd)) ?? ""
                if last.contains(words) { return }
                usleep(50_000)
            }
            Issue.record("\(bondd.name) does not say \"\(words)\": \(last)")
        }

        /// Failing handshakes are reported to the operator of the server, and some to the client's.
        @Test func operatorsHearOfHandshakesThatLeadNowhere() throws {
            let tunnel = try Tunnel()
            defer { tunnel.close() }
            let client = try tunnel.client("laptop", uplinks: ["fibre=100/2"])
            let (server, own) = (tunnel.server, tunnel.serverFile.clients)
            // A key that the server does not know.
            try tunnel.changeServer { $0.clients = [] }
            try server.start()
            try client.bondd.start()
            try expect(server, "keys that this server does not know")

            // A preshared key at one end only: the client keeps asking the server, but cannot open its answers.
            try server.scratch.write("U2VjcmV0IHByZXNoYXJlZCBrZXkgb2YgMzIgYnl0ZXM=\n", to: "psk")
            chmod("\(server.scratch.path)/psk", 0o600)
            try tunnel.changeServer {
                $0.clients = own
                $0.clients[0].presharedKeyFile = "psk"
            }
            server.signal(SIGHUP)
            try expect(client.bondd, "the preshared keys differ")
            try expect(server, "client \"laptop\" has asked for a session")

            // An address that the server has not assigned.
            try tunnel.changeServer { $0.clients = own }
            server.signal(SIGHUP)
            client.bondd.stop()
            try configure(client, address: "10.77.0.9")
            try client.bondd.start()
            try expect(client.bondd, "10.77.0.9, but the server gives this client 10.77.0.2")

        }

        @Test func operatorsHearOfOtherKeysAndOfTwoHostsWithOne() throws {
            let tunnel = try Tunnel()
            defer { tunnel.close() }
            let client = try tunnel.client("laptop", uplinks: ["fibre=100/2"])
            let server = tunnel.server
            try server.start()

            // Another server's key.
            try client.change { $0.serverKey = "hSDwCYkwp1R0i33ctD73Wg2/Og0mOBr066SpjqqbTmo=" }
            try client.bondd.start()
            try expect(server, "were meant for another server's key")

            // Two hosts with one key.
            client.bondd.stop()
            try client.change { $0.serverKey = server.publicKey }
            let twin = try tunnel.client("twin", uplinks: ["cable=100/2"])
            let key = try String(contentsOfFile: "\(client.bondd.scratch.path)/key", encoding: .utf8)
            try twin.bondd.scratch.write(key, to: "key")
            try client.bondd.start()
            try client.bondd.wait(for: "the session", seconds: 5) { $0.sessions.first?.state == "up" }
            try twin.bondd.start()
            for side in [client, twin] {
                _ = try? side.namespace.spawn(["ping", "-i", "0.2", "-w", "25", Tunnel.serverAddress])
            }
            for _ in 0..<500 where try !notices(server).contains("two hosts use the key") { usleep(50_000) }
            let told = try notices(server)
            #expect(told.contains("two hosts use the key of client \"laptop\""), "\(told)")
        }
    }
}
