import Foundation
import Lab
import Testing

extension EndToEndTests {
    /// `bondd status` as in the interface contract.
    @Suite("Status") struct Status {
        /// The permitted JSON types of a key.
        enum Kind {
            case text, number, list, object

            func fits(_ value: Any?) -> Bool {
                switch self {
                case .text: value is String
                case .number: value is NSNumber && !(value is String)
                case .list: value is [Any]
                case .object: value is [String: Any]
                }
            }
        }

        private func check(_ object: [String: Any], _ keys: [String: Kind], _ place: String) {
            for (key, kind) in keys {
                #expect(kind.fits(object[key]), "\(place): \(key) is \(object[key] ?? "missing")")
            }
        }

        @Test func hasEveryKeyOfTheContract() throws {
            try withTunnel(fibreAndLTE) { tunnel, client in
                #expect(
                    try PingRun.run(from: client.namespace, to: Tunnel.serverAddress, count: 50).loss == 0)
                for bondd in [client.bondd, tunnel.server] {
                    let text = try bondd.statusText()
                    #expect(text.split(separator: "\n").count == 1)
                    let status = try #require(
                        try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
                    check(
                        status,
                        [
                            "version": .text, "role": .text, "mode": .text, "interface": .text,
                            "redundant_paths": .number, "mtu": .number, "threads": .number,
                            "uptime_s": .number, "sessions": .list,
                            "offloads": .object, "cipher": .object,
                        ], bondd.name)
                    let session = try #require((status["sessions"] as? [[String: Any]])?.first)
                    check(
                        session,
                        [
                            "client": .text, "address": .text, "state": .text, "rekey_age_s": .number,
                            "paths": .list, "reorder": .object, "drops": .object,
                        ], bondd.name)
                    check(
                        try #require(session["reorder"] as? [String: Any]),
                        [
                            "held": .number, "late": .number, "duplicates": .number,
                            "deadline_ms": .number,
                        ], bondd.name)
                    let queue = try #require(session["queue"] as? [String: Any])
                    check(queue, ["dropped": .number, "marked": .number], bondd.name)
                    let repair = try #require(session["repair"] as? [String: Any])
                    check(repair, ["resent": .number, "unrepaired": .number, "copied": .number], bondd.name)
                    let paths = try #require(session["paths"] as? [[String: Any]])
                    #expect(paths.count == 2)
                    for path in paths {
                        // Only known to a client.
                        for key in ["data_cap_gb", "data_used_gb"] {
                            #expect((path[key] != nil) == (bondd === client.bondd), "\(key)")
                        }
                        check(
                            path,
                            [
                                "name": .text, "interface": .text, "state": .text, "role": .text,
                                "local": .text, "remote": .text, "rtt_ms": .number, "jitter_ms": .number,
                                "loss": .number, "rate_mbit": .number, "queue_ms": .number,
                                "mtu": .number, "tx_bytes": .number, "rx_bytes": .number,
                                "tx_packets": .number, "rx_packets": .number, "lost": .number,
                                "repaired": .number,
                            ], bondd.name)
                    }
                }
            }
        }

        @Test func tellsWhatIsTrue() throws {
            try withTunnel(fibreAndLTE) { tunnel, client in
                #expect(
                    try PingRun.run(from: client.namespace, to: Tunnel.serverAddress, count: 100).loss == 0)
                let own = try client.bondd.status()
                let other = try tunnel.server.status()
                #expect(own.role == "client" && other.role == "server")
                #expect(own.sessions.map(\.address) == [client.address])
                #expect(other.sessions.map(\.address) == [client.address])
                #expect(other.sessions.map(\.client) == ["laptop"])
                #expect(own.uptime_s > 0.5 && own.uptime_s < 30)
                for (link, rtt) in zip(client.links, [20.0, 60.0]) {
                    let path = try #require(own.path(link.name))
                    #expect(abs(path.rtt_ms - rtt) < 5, "\(path)")
                    #expect(path.local == link.addresses.ipv4(.client))
                    #expect(path.remote == "\(link.addresses.ipv4(.server)):5000")
                    #expect(path.loss == 0)
                    // Frames have 42 bytes of headers around a datagram; ARP and late acknowledgements may differ.
                    let counters = link.counters(.up)
                    #expect(abs(path.tx_packets - Int(counters.sent)) <= 10, "\(path) \(counters)")
                    let frameBytes = path.tx_bytes + 42 * path.tx_packets
                    #expect(abs(frameBytes - Int(counters.sentBytes)) < 3000, "\(path) \(counters)")
                }
            }
        }

        @Test func theTableForPeopleNamesThePaths() throws {
            try withTunnel(fibreAndLTE) { tunnel, client in
                let child = try client.bondd.command(["status"])
                #expect(child.status == .exited(0) && child.errors.isEmpty)
                for word in ["client", "stripe", "fibre", "lte", "up", "order:", "queue:", "repair:"] {
                    #expect(child.output.contains(word))
                }
                // The lines of the session, and their table.
                for line in child.output.split(separator: "\n").dropFirst(2) {
                    #expect(line.count <= 80, "\(line)")
                }
            }
        }

        /// The tests run with the offloads requested by BONDD_OFFLOAD.
        @Test func theOffloadsAreThoseThatTheTestsAreToRunWith() throws {
            try withTunnel(["fibre=100/5"]) { tunnel, client in
                let asked = ProcessInfo.processInfo.environment["BONDD_OFFLOAD"] ?? "on"
                for (bondd, end) in [(client.bondd, "client"), (tunnel.server, "server")] {
                    let isOff = try bondd.command(["status"]).output.contains("tun off   udp off")
                    #expect(isOff == (asked != "on" && asked != end), "\(asked): \(end)")
                }
            }
        }

        /// One end with offloads, one without: traffic flows, and each reports its own.
        @Test(arguments: [LinkEnd.client, .server]) func tellsWhichOffloadsThereAre(off: LinkEnd) throws {
            let tunnel = try Tunnel()
            defer { tunnel.close() }
            let client = try tunnel.client("laptop", uplinks: fibreAndLTE)
            try tunnel.changeServer { $0.offload = off != .server }
            try client.change { $0.offload = off != .client }
            try tunnel.start()
            var plan = TCPFlow.Plan(to: Tunnel.serverAddress, seconds: 2)
            for reverse in [false, true] {
                plan.reverse = reverse
                let flow = try TCPFlow.run(from: client.namespace, to: tunnel.server.namespace, plan)
                #expect(flow.megabits > 5, "\(off) without, reverse \(reverse)")
            }
            for (end, bondd) in [(LinkEnd.client, client.bondd), (.server, tunnel.server)] {
                // The cipher follows on the same line, or on the next where both are longer than 80 columns.
                let lines = try bondd.command(["status"]).output.split(separator: "\n")
                let first = try #require(lines.firstIndex { $0.hasPrefix("offloads") })
                let text = lines[first...].prefix(2).joined(separator: "\n")
                let cipher = /(\n|\ {3})cipher chacha20-poly1305 \((libsodium|libcrypto)\)/
                #expect(text.contains(cipher), "\(text)")
                if end == off {
                    #expect(text.hasPrefix("offloads  tun off   udp off   cipher"), "\(text)")
                } else {
                    // USO exists since Linux 6.2.
                    let on = /^offloads  tun csum tso4 tso6 (uso|\(uso missing\))   udp gso gro\ncipher/
                    #expect(text.contains(on), "\(text)")
                }
            }
        }
    }
}
