import Packet
import Proto
import Rules
import Testing

@testable import Settings

@Suite struct ConfigurationTests {
    let samples = ConfigurationSamples()

    /// Where neither library has it, the error says what to do; this machine may have it.
    @Test func aLANAndNetworksAreRead() throws {
        let samples = ConfigurationSamples()
        let lan = try samples.read(
            ConfigurationSamples.client + "\n[lan]\ninterfaces = [\"br0\", \"wlan1\", \"br0\"]\n")
        guard case .client(let client) = lan.role else { throw CancellationError() }
        // They never become uplinks either.
        #expect(client.lan == ["br0", "wlan1"] && client.discovery.exclude == ["br0", "wlan1"])
        let file = try samples.read(
            ConfigurationSamples.server + "\nnetworks = [\"192.168.50.0/24\", \"fd50::/64\"]\n")
        guard case .server(let server) = file.role else { throw CancellationError() }
        #expect(server.clients[0].networks.map(\.description) == ["192.168.50.0/24", "fd50::/64"])
    }

    @Test func aesIsACipher() throws {
        let text = """
            [tunnel]
            role = "client"
            private_key_file = "client.key"
            cipher = "aes-256-gcm"

            [server]
            public_key = "\(ConfigurationSamples.publicKey)"
            endpoints = ["203.0.113.7:5000"]

            [[path]]
            interface = "eth0"
            """
        guard CipherSuite.aes256gcm.isAvailable else {
            #expect(throws: ConfigurationError.self) { try samples.read(text) }
            return
        }
        let cipher = try samples.read(text).tunnel.cipher
        #expect(cipher == .aes256gcm)
    }

    @Test func everythingAClientMaySay() throws {
        let configuration = try samples.read(
            """
            [tunnel]
            role = "client"
            interface = "bond0"
            address = ["10.77.0.2/24", "fd77::2/64"]
            mtu = 1400
            mode = "stripe"
            redundant_paths = 2
            cipher = "chacha20-poly1305"
            private_key_file = "client.key"
            offload = false
            buffer_mb = 64
            routes = ["0.0.0.0/0", "::/0", "10.0.0.0/8"]
            dns = ["10.77.0.1"]
            kill_switch = true
            kill_switch_lan = true

            [server]
            public_key = "\(ConfigurationSamples.publicKey)"
            endpoints = ["203.0.113.7:5000", "[2001:db8::7]:5000", "vpn.example.org:443"]
            preshared_key_file = "psk"

            [[path]]
            interface = "eth0"
            name = "fibre"
            role = "primary"
            cap_mbit = 95.5
            data_cap_gb = 100
            endpoint = "203.0.113.8:5000"

            [[path]]
            interface = "wwan0"
            role = "metered"

            [discovery]
            include = ["*"]
            exclude = ["docker*"]

            [health]
            listen = "192.0.2.1:8098"
            token_file = "token"
            """)
        let tunnel = configuration.tunnel
        #expect(tunnel.interface == "bond0" && tunnel.mtu == 1400 && tunnel.mode == .stripe)
        #expect(tunnel.redundantPaths == 2)
        #expect(!tunnel.offload && tunnel.bufferMegabytes == 64)
        #expect(tunnel.addresses.map(\.description) == ["10.77.0.2/24", "fd77::2/64"])
        #expect(tunnel.cipher == .chacha20poly1305 && tunnel.privateKey.key == ConfigurationSamples.key)
        guard case .client(let client) = configuration.role else {
            Issue.record("no client")
            return
        }
        #expect(client.routes?.map(\.description) == ["0.0.0.0/0", "::/0", "10.0.0.0/8"])
        #expect(client.dns == [IPAddress("10.77.0.1")!])
        #expect(client.server.publicKey == Base64.decode(ConfigurationSamples.publicKey))
        #expect(client.server.presharedKey?.key == ConfigurationSamples.key)
        #expect(
            client.server.endpoints.map(\.endpoint) == [
                Endpoint("203.0.113.7:5000"), Endpoint("[2001:db8::7]:5000"), nil,
            ])
        #expect(
            client.server.endpoints[2].host == "vpn.example.org" && client.server.endpoints[2].port == 443)
        #expect(
            client.paths.map(\.name) == ["fibre", "wwan0"]
                && client.paths.map(\.interface) == ["eth0", "wwan0"])
        #expect(client.paths.map(\.role) == [.primary, .metered] && client.paths.map(\.cap) == [95.5, 0])
        #expect(client.paths.map(\.dataCap) == [100, 0])
        #expect(client.paths.map { $0.endpoint?.description } == ["203.0.113.8:5000", nil])
        #expect(client.discovery.exclude == ["docker*"])
        #expect(client.killSwitch && client.killSwitchAllowsLAN)
        #expect(configuration.health?.listen == Endpoint("192.0.2.1:8098"))
        #expect(configuration.health?.tokenFile?.hasSuffix("token") == true)
        #expect(configuration.notices.first == "[discovery] is for clients without [[path]], and not used")
        // The token is bondd-control's to read; bondd says that it is not there.
        #expect(
            configuration.notices.count == 2
                && configuration.notices[1].contains("token does not exist, so bondd-control"))
    }

    @Test func theLeastAClientMustSay() throws {
        let configuration = try samples.read(ConfigurationSamples.client)
        #expect(configuration.tunnel.interface == "bond0" && configuration.tunnel.mode == .auto)
        #expect(configuration.tunnel.addresses.isEmpty && configuration.tunnel.mtu == nil)
        #expect(configuration.tunnel.offload && configuration.tunnel.bufferMegabytes == 32)
        guard case .client(let client) = configuration.role else {
            Issue.record("no client")
            return
        }
        #expect(client.routes == nil && client.dns == nil && client.discovery == .all)
        #expect(!client.killSwitch && !client.killSwitchAllowsLAN)
        #expect(client.paths[0].name == "eth0" && client.paths[0].role == .primary)
        #expect(client.paths[0].gateways.isEmpty)
        #expect(configuration.health == nil && configuration.notices.isEmpty)
    }

    /// Whoever is not on the console is cut off, and hears of it before.
    @Test(arguments: [
        ("kill_switch = true", ["including the LAN"]),
        ("kill_switch = true\nkill_switch_lan = true", []),
        ("kill_switch_lan = true", ["has no effect without kill_switch"]),
        ("kill_switch = true\nkill_switch_lan = true\ndns = []", ["names may not resolve"]),
    ])
    func aKillSwitchSaysWhomItCutsOff(lines: String, wanted: [String]) throws {
        let text = ConfigurationSamples.client.replacing(
            "role = \"client\"", with: "role = \"client\"\n\(lines)")
        let notices = try samples.read(text).notices
        #expect(notices.count == wanted.count && zip(notices, wanted).allSatisfy { $0.contains($1) })
    }

    @Test func withoutPathsUplinksAreFound() throws {
        let text = ConfigurationSamples.client
        let configuration = try samples.read(String(text[..<text.firstRange(of: "[[path]]")!.lowerBound]))
        guard case .client(let client) = configuration.role else {
            Issue.record("no client")
            return
        }
        #expect(client.paths.isEmpty && client.discovery == .all && configuration.notices.isEmpty)
    }

    @Test(arguments: [
        ("\"192.0.2.1\"", ["192.0.2.1"]), ("[\"192.0.2.1\", \"fe80::1\"]", ["192.0.2.1", "fe80::1"]),
    ])
    func gateways(text: String, addresses: [String]) throws {
        let configuration = try samples.read("\(ConfigurationSamples.client)\ngateway = \(text)")
        guard case .client(let client) = configuration.role else {
            Issue.record("no client")
            return
        }
        #expect(client.paths[0].gateways == addresses.map { IPAddress($0)! })
    }

    @Test(arguments: [
        ("mac = \"52-54-00-AB-34-56\"", Configuration.Hardware.mac("52:54:00:ab:34:56")),
        ("device = \"usb-0000:00:14.0-1.4\"", .device("usb-0000:00:14.0-1.4")),
    ])
    func hardware(text: String, hardware: Configuration.Hardware) throws {
        let sample = ConfigurationSamples.client.replacing("interface = \"eth0\"", with: text)
        guard case .client(let client) = try samples.read(sample).role else {
            Issue.record("no client")
            return
        }
        #expect(client.paths[0].hardware == hardware && client.paths[0].interface.isEmpty)
        #expect(!client.paths[0].name.isEmpty)
    }

    @Test func twoPathsBehindOneRouterAreSaid() throws {
        func notices(_ more: String) throws -> [String] {
            let second = "\n[[path]]\ninterface = \"eth0\"\nname = \"second\"\n\(more)"
            return try samples.read(ConfigurationSamples.client + second).notices
        }
        #expect(try notices("").first?.contains("\"eth0\" and \"second\"") == true)
        #expect(try notices("gateway = \"192.0.2.254\"").isEmpty)
    }

    @Test(arguments: [
        ("\"0.0.0.0/0\"", "IPv6", "::/0"), ("\"::/0\"", "IPv4", "0.0.0.0/0"),
    ])
    func whatGoesBesideAFullTunnelIsSaid(routes: String, beside: String, missing: String) throws {
        let text = ConfigurationSamples.client.replacing(
            "[tunnel]", with: "[tunnel]\nroutes = [\(routes), \"10.0.0.0/8\"]")
        let notices = try samples.read(text).notices
        #expect(notices.count == 1 && notices[0].contains("but \(beside) bypasses it; add \"\(missing)\""))
        let both = ConfigurationSamples.client.replacing(
            "[tunnel]", with: "[tunnel]\nroutes = [\(routes), \"\(missing)\"]")
        #expect(try samples.read(both).notices.isEmpty)
    }

    /// Who may not read the keys reads the rest.
    @Test func keysMayBeLeft() throws {
        let text = """
            [tunnel]
            role = "server"
            address = ["10.77.0.1/24"]
            private_key_file = "none.key"
            [listen]
            addresses = ["0.0.0.0:5000"]
            [[client]]
            name = "desk"
            public_key = "\(ConfigurationSamples.publicKey)"
            address = ["10.77.0.2"]
            preshared_key_file = "none.psk"
            [health]
            listen = "[::1]:8098"
            """
        #expect(throws: ConfigurationError.self) {
            try Configuration(text: text, file: "/etc/bondd/bondd.toml")
        }
        let configuration = try Configuration(text: text, file: "/etc/bondd/bondd.toml", keys: .leave)
        #expect(configuration.tunnel.privateKey.path == "/etc/bondd/none.key")
        #expect(configuration.tunnel.privateKey.key.isEmpty && configuration.health?.tokenFile == nil)
    }

    @Test func everythingAServerMaySay() throws {
        let configuration = try samples.read(
            """
            tunnel = { role = "server", address = ["10.77.0.1/24", "fd77::1/64"], private_key_file = "client.key" }
            [listen]
            addresses = ["0.0.0.0:5000", "[::]:5000"]
            [nat]
            enabled = true
            egress = ["eth0", "tailscale0"]
            [[client]]
            name = "laptop"
            public_key = "\(ConfigurationSamples.publicKey)"
            address = ["10.77.0.2", "fd77::2"]
            preshared_key_file = "psk"
            [[client]]
            name = "phone"
            public_key = "\(ConfigurationSamples.otherKey)"
            address = ["10.77.0.3"]
            [offer]
            dns = ["10.77.0.1", "fd77::1"]
            routes = ["192.168.7.0/24"]
            [portunus]
            bundle_file = "client.bundle.json"
            [[rule]]
            name = "web"
            protocol = "tcp"
            listen_port = 8443
            target = "10.77.0.2:443"
            limit = { bytes_out = 1000000, connections = 5 }
            [[rule]]
            name = "game"
            protocol = "udp"
            listen_ports = "7000-7003"
            target = "198.51.100.7:8000-8003"
            allow_outside = true
            [[rule]]
            name = "shop"
            protocol = "tcp"
            listen_port = 8443
            server_name = "*.Example.org"
            health_check_interval_secs = 10
            targets = [{ host = "fd77::2", port = 7000, priority = 1 }, { host = "host.lan", port = 9, proxy_protocol = true }]
            """)
        guard case .server(let server) = configuration.role else {
            Issue.record("no server")
            return
        }
        #expect(server.listen == [Endpoint("0.0.0.0:5000")!, Endpoint("[::]:5000")!])
        #expect(server.clients.map(\.name) == ["laptop", "phone"])
        #expect(server.clients[0].addresses == [IPAddress("10.77.0.2")!, IPAddress("fd77::2")!])
        #expect(server.clients[0].presharedKey != nil && server.clients[1].presharedKey == nil)
        #expect(
            server.nat
                == Configuration.NAT(enabled: true, egress: ["eth0", "tailscale0"], allowsInbound: false))
        #expect(server.offer.dns.map(\.description) == ["10.77.0.1", "fd77::1"])
        #expect(server.offer.routes.map(\.description) == ["192.168.7.0/24"])
        let bundle = samples.directory.path + "/client.bundle.json"
        #expect(server.portunus == Configuration.Portunus(bundleFile: bundle, allowsOutside: false))
        #expect(server.rules.map(\.ports) == [8443...8443, 7000...7003, 8443...8443])
        let (web, game, shop) = (server.rules[0], server.rules[1], server.rules[2])
        #expect(web.targets.map(\.host) == ["10.77.0.2"] && web.transport == .tcp && !web.listsTargets)
        #expect(web.limit == RateLimit(bytesOut: 1_000_000, connections: 5))
        #expect(game.targets.map(\.port) == [8000] && game.mayLeaveTunnel && game.maximumFlows == nil)
        #expect(shop.targets.map(\.host) == ["fd77::2", "host.lan"] && shop.listsTargets)
        #expect(shop.targets.map(\.priority) == [1, 0] && shop.targets.map(\.proxy) == [nil, .v2])
        #expect(shop.serverName == "*.example.org" && shop.probeInterval == 10)
        #expect(configuration.notices.isEmpty)
    }

    @Test(
        arguments: [
            ("true", .v2), ("2", .v2), ("\"v2\"", .v2), ("1", .v1), ("\"v1\"", .v1), ("false", nil),
        ] as [(String, ProxyVersion?)]) func versionsOfProxyProtocol(written: String, read: ProxyVersion?)
        throws
    {
        let configuration = try samples.read(
            ConfigurationSamples.server
                + "\n[[rule]]\nname = \"r\"\nprotocol = \"tcp\"\nlisten_port = 80\n"
                + "targets = [{ host = \"a.b\", port = 9, proxy_protocol = \(written) }]\n")
        guard case .server(let server) = configuration.role else { return }
        #expect(server.rules.map { $0.targets.map(\.proxy) } == [[read]])
    }

    /// A server may have up to eight data threads, or the default; a client is told that it has one.
    @Test(arguments: [(nil, nil), (0, nil), (1, 1), (2, 2), (8, 8)] as [(Int?, Int?)])
    func threads(written: Int?, read: Int?) throws {
        let key = written.map { "threads = \($0)" } ?? ""
        let server = try samples.read(
            """
            [tunnel]
            role = "server"
            address = ["10.77.0.1/24"]
            private_key_file = "client.key"
            \(key)
            [listen]
            addresses = ["0.0.0.0:5000"]
            """)
        #expect(server.tunnel.threads == read && server.notices.isEmpty)
        let client = try samples.read(
            """
            [tunnel]
            role = "client"
            private_key_file = "client.key"
            \(key)
            [server]
            public_key = "\(ConfigurationSamples.publicKey)"
            endpoints = ["203.0.113.7:5000"]
            [[path]]
            interface = "eth0"
            """)
        let notice = "[tunnel] threads is for servers; a client has one data thread"
        #expect(client.notices == ((read ?? 1) > 1 ? [notice] : []))
    }

    @Test(arguments: ConfigurationSamples.bad + ConfigurationSamples.badRules)
    func whatIsWrongIsSaidWithItsPlaceAndWhatToDo(sample: BadConfiguration) {
        do {
            _ = try samples.read(sample.text)
            Issue.record("accepted: \(sample.text)")
        } catch {
            // The directory differs from run to run.
            let sentence = samples.relative(error)
            #expect(sentence == sample.sentence)
        }
    }

    @Test func filesThatCannotBeRead() {
        let missing = samples.directory.path + "/missing.toml"
        #expect(
            throws: ConfigurationError(
                file: missing, line: nil,
                problem:
                    "does not exist; make one with bondd init on a server, bondd join LINK on a client, or name another with --config"
            )
        ) {
            _ = try Configuration(reading: missing)
        }
        let directory = samples.directory.path
        #expect(
            throws: ConfigurationError(file: directory, line: nil, problem: "cannot be read: Is a directory")
        ) {
            _ = try Configuration(reading: directory)
        }
        samples.directory.file("large.toml", String(repeating: "#\n", count: 1 << 20))
        #expect(throws: ConfigurationError.self) { _ = try Configuration(reading: directory + "/large.toml") }
    }

    @Test func damagedFilesAreErrorsAndNeverCrash() {
        let seed = UInt64.random(in: 0 ... .max)
        var random = SplitMix(state: seed)
        let whole = [ConfigurationSamples.client, ConfigurationSamples.server].map { Array($0.utf8) }
        var refused = 0
        for text in whole {
            for length in 0..<text.count {
                if (try? samples.read(String(decoding: text[..<length], as: UTF8.self))) == nil {
                    refused += 1
                }
            }
        }
        #expect(refused > 300, "most truncations lack something")
        for round in 0..<4000 {
            var text = whole[round % 2]
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                let at = Int.random(in: 0..<text.count, using: &random)
                switch Int.random(in: 0..<4, using: &random) {
                case 0: text[at] ^= 1 << UInt8.random(in: 0..<8, using: &random)
                case 1: text.remove(at: at)
                case 2:
                    text.insert(contentsOf: "[{\"'=.,]}#\n".utf8.shuffled(using: &random).prefix(2), at: at)
                default: text[at] = UInt8.random(in: 0...255, using: &random)
                }
            }
            do {
                _ = try samples.read(String(decoding: text, as: UTF8.self))
            } catch {
                #expect(!error.problem.isEmpty && error.line ?? 1 >= 1, "seed \(seed) round \(round)")
            }
        }
    }

    @Test func deepNestingIsAnError() {
        for text in [String(repeating: "[", count: 5000), "a = " + String(repeating: "[", count: 5000)] {
            #expect(throws: ConfigurationError.self) { _ = try samples.read(text) }
        }
    }
}

/// Sebastiano Vigna's SplitMix64.
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
        return z ^ z >> 31
    }
}
