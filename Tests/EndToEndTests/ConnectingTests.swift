import Glibc
import Lab
import Testing

extension EndToEndTests {
    /// A client connects if any route works, finds its server again after it has moved, and reports problems.
    @Suite("Connecting", .lane(.waiting)) struct Connecting {
        private static let live = "\(Internet.server):5000"
        private static let live6 = "[\(Internet.server6)]:5000"
        /// Endpoints whose packets are swallowed.
        private static let silent = ["203.0.113.98:5000", "203.0.113.99:5000", "[2001:db8:7::99]:5000"]
        /// An endpoint that is answered with ICMP by the server's host.
        private static let refused = "\(Internet.server):5999"

        /// An internet whose client discovers its uplinks, with its own /etc.
        private struct World {
            let internet: Internet
            let scratch: Scratch
            let etc: Scratch

            var client: TunnelClient { internet.client }
            var router: Namespace { internet.router }

            init(uplinks: Int = 2) throws {
                scratch = try Scratch()
                etc = try Scratch()
                for file in ["hosts", "resolv.conf"] { try etc.write("", to: file, mode: 0o644) }
                let script = """
                    #!/bin/sh
                    exec unshare -m sh -c 'mount --bind \(etc.path) /etc && exec \(try Program().path) "$@"' sh "$@"
                    """
                let program = Program(path: try scratch.write(script, to: "bondd", mode: 0o755))
                internet = try Internet(uplinks: uplinks, clientProgram: program)
                for i in 0..<uplinks { try internet.addDefault(i, "metric \(100 + i)") }
                try client.change {
                    $0.paths = []
                    $0.discovery = ["up*"]
                }
                try internet.tunnel.server.start()
            }

            func close() {
                internet.close()
                scratch.remove()
                etc.remove()
            }

            /// Starts the client with these endpoints.
            func start(_ endpoints: [String], routes: [String]? = nil) throws {
                client.bondd.stop()
                try client.change {
                    $0.endpoints = endpoints
                    $0.routes = routes
                }
                try client.bondd.start()
            }

            /// Waits until all of these paths are up; returns the time that took, and the status then.
            @discardableResult func up(_ what: String, _ names: [String], within seconds: Double) throws
                -> TunnelStatus
            {
                let start = Clock.monotonic
                let status = try client.bondd.wait(for: what, seconds: seconds) { status in
                    status.sessions.first?.state == "up"
                        && names.allSatisfy { status.path($0)?.state == "up" }
                }
                measured(what, Clock.monotonic - start, "s")
                return status
            }

            /// Waits until a path's note contains these words.
            func note(_ path: String, _ words: [String], within seconds: Double = 10) throws {
                try client.bondd.wait(for: "the note \(words) on \(path)", seconds: seconds) { status in
                    let note = status.path(path)?.note ?? ""
                    return words.allSatisfy { note.contains($0) }
                }
            }

            /// Replaces the router's forwarding filter.
            func filter(_ rules: [String]) throws {
                let chain = "add chain inet lab forward { type filter hook forward priority 0; }"
                let lines = ["add table inet lab", "delete table inet lab", "add table inet lab", chain]
                try router.run([
                    "nft", (lines + rules.map { "add rule inet lab forward \($0)" }).joined(separator: "; "),
                ])
            }

            /// The interface of the router that leads to uplink `i`.
            func far(_ i: Int) throws -> String {
                let line = try router.run(["ip", "-o", "-4", "addr", "show", "to", Internet.gateway(i)])
                return String(line.split(separator: " ")[1])
            }

            /// Replaces the server's address by another one.
            func moveServer(from old: String, to new: String) throws {
                let far = internet.core.addresses.ipv4(.client)
                try internet.tunnel.server.namespace.ip(
                    "addr del \(old)/32 dev lo\naddr add \(new)/32 dev lo")
                try router.ip("route del \(old)\nroute add \(new) via \(far)")
            }

            /// Runs a Python program until the namespace ends.
            func python(_ text: String, _ arguments: [String], in namespace: Namespace) throws -> Child {
                let file = try scratch.write(text, to: "program-\(arguments[0]).py", mode: 0o644)
                return try namespace.spawn(["python3", file] + arguments)
            }
        }

        /// Some of the server's endpoints are dead, silently or with ICMP errors; a brief outage moves nothing.
        @Test func anyEndpointThatAnswersWillDo() throws {
            let world = try World()
            defer { world.close() }
            try world.filter([
                "ip daddr { 203.0.113.98, 203.0.113.99 } drop", "ip6 daddr 2001:db8:7::99 drop",
            ])
            let (live, silent) = (Self.live, Self.silent)
            for endpoints in [
                [live, silent[0]], [silent[0], live], silent + [live], [live] + silent, [Self.refused, live],
                [live, Self.refused], [silent[2], Self.live6],
            ] {
                try world.start(endpoints)
                let status = try world.up("both paths with \(endpoints)", ["up0", "up1"], within: 2)
                #expect(status.sessions[0].paths.allSatisfy { [live, Self.live6].contains($0.remote) })
            }
            // IPv6 that leads nowhere, which `bondd init` may have written into the link.
            try world.filter([
                "ip6 daddr \(Internet.server6) drop", "ip daddr { 203.0.113.98, 203.0.113.99 } drop",
            ])
            try world.start([Self.live6, live])
            try world.up("both paths with dead IPv6", ["up0", "up1"], within: 2)
            // One uplink has a brief outage, and then both.
            try world.start([live] + silent)
            try world.up("both paths", ["up0", "up1"], within: 2)
            sleep(1)
            let far = try world.far(0)
            for rule in ["iifname \(far) drop", "udp dport 5000 drop"] {
                try world.filter([rule])
                usleep(1_200_000)
                try world.filter([])
                let status = try world.up("after a hiccup", ["up0", "up1"], within: 8)
                #expect(status.sessions[0].paths.allSatisfy { $0.remote == live })
            }
        }

        /// The server's name gets another address: in the hosts file, and in a DNS that only the uplinks reach while a full
        /// tunnel swallows the host's own queries. Then the name has none, which is logged once.
        @Test func aServerThatMovesIsFoundAgain() throws {
            let world = try World()
            defer { world.close() }
            let (first, second) = (Internet.server, "203.0.113.77")
            func write(_ file: String, _ text: String) throws {
                // Writes in place, because a name server's program has the file open.
                try world.client.namespace.run(["sh", "-c", "printf '\(text)' >\(world.etc.path)/\(file)"])
            }
            try write("hosts", "\(first) vpn.test\\n")
            try world.start(["vpn.test:5000"], routes: ["0.0.0.0/0", "::/0"])
            try world.up("a name of the hosts file", ["up0", "up1"], within: 3)
            try write("hosts", "\(second) vpn.test\\n")
            try world.moveServer(from: first, to: second)
            sleep(1)
            let status = try world.up("a name that has moved in the hosts file", ["up0", "up1"], within: 20)
            #expect(status.sessions[0].paths.allSatisfy { $0.remote == "\(second):5000" })
            // A reload resolves at once.
            try write("hosts", "\(first) vpn.test\\n")
            try world.moveServer(from: second, to: first)
            usleep(500_000)
            world.client.bondd.signal(SIGHUP)
            try world.up("a name that has moved, after a reload", ["up0", "up1"], within: 8)

            // A name server beyond the router, which is unreachable through the tunnel.
            try write("hosts", "")
            try world.router.ip("addr add 100.64.53.53/32 dev lo")
            try write("resolv.conf", "nameserver 100.64.53.53\\n")
            let zone = try world.scratch.write("A \(first)\n", to: "zone", mode: 0o644)
            let server = try world.python(Self.nameServer, ["100.64.53.53", zone], in: world.router)
            defer { server.kill() }
            try world.start(["vpn.test:5000"], routes: ["0.0.0.0/0", "::/0"])
            try world.up("a name of DNS", ["up0", "up1"], within: 4)
            try world.scratch.write("A \(second)\n", to: "zone", mode: 0o644)
            try world.moveServer(from: first, to: second)
            sleep(1)
            try world.up("a name that has moved in DNS", ["up0", "up1"], within: 20)
            // It is in use, so the other address is dropped; the name servers die, and one warning says so.
            server.kill()
            world.client.bondd.stop()
            try world.client.bondd.start()
            try world.note("up0", ["vpn.test"], within: 20)
            func warnings() -> [Substring] {
                world.client.bondd.log.split(separator: "\n").filter {
                    $0.contains("warning") && $0.contains("vpn.test")
                }
            }
            // The host's own resolver is slow to give up.
            try wait(seconds: 20, "a warning") { !warnings().isEmpty }
            sleep(3)
            #expect(warnings().count == 1, "\(warnings())")
        }

        /// A NAT whose own uplink was not ready has a wrong entry for the path's flow; and the note of a silent
        /// path.
        @Test func aSilentPathGetsAnotherPortAndANote() throws {
            let world = try World()
            defer { world.close() }
            let host = world.internet.tunnel.server.namespace
            let core = try world.router.run(["ip", "route", "get", Internet.server]).split(separator: " ")
            let wan = String(core[core.firstIndex(of: "dev")! + 1])
            try world.router.run([
                "nft",
                "add table ip nat; add chain ip nat post { type nat hook postrouting priority 100; }; add rule ip nat post ip saddr 192.0.2.1 masquerade",
            ])
            try host.run([
                "nft",
                "add table ip lab; add chain ip lab in { type filter hook prerouting priority -300; }; add rule ip lab in udp dport 5000 ip saddr 10.101.0.0-10.110.255.255 drop",
            ])
            try world.start([Self.live])
            try world.note("up0", ["nothing answers at \(Self.live)"])
            try world.router.run([
                "nft", "add rule ip nat post oifname \(wan) ip daddr \(Internet.server) masquerade",
            ])
            try world.up("paths whose NAT had a wrong entry", ["up0", "up1"], within: 25)

            // Only UDP is swallowed on one uplink, the other works.
            try world.filter(["iifname \(try world.far(0)) udp dport 5000 drop"])
            try world.note(
                "up0", ["UDP to \(Self.live) is blocked on up0 although", "curl --interface up0"])
            // The server's answers arrive and are dropped: up means both directions.
            try world.filter([])
            try world.client.namespace.run([
                "nft",
                "add table inet deaf; add chain inet deaf in { type filter hook prerouting priority -300; }; add rule inet deaf in iifname up0 udp sport 5000 drop",
            ])
            try world.start([Self.live])
            try world.note("up0", ["the server receives from up0, but its answers do not arrive"])
            #expect(try world.client.bondd.status().path("up0")?.state == "probing")
            try world.client.namespace.run(["nft", "delete table inet deaf"])
            try world.up("a path that hears again", ["up0", "up1"], within: 40)
            #expect(try world.client.bondd.status().path("up0")?.note == nil)
        }

        /// The note says what an interface lacks; and an IPv6-only uplink reaches an IPv4-only server, by the
        /// well-known prefix and by its network's own.
        @Test func whatAnUplinkLacksIsSaidOrTranslated() throws {
            let world = try World()
            defer { world.close() }
            let (client, host) = (world.client, world.client.namespace)
            client.bondd.stop()
            try client.change {
                $0.discovery = nil
                $0.paths = ["up0", "up1", "upx"].map { ClientFile.Path(interface: $0, endpoint: Self.live) }
            }
            try client.bondd.start()
            try world.up("two of three", ["up0", "up1"], within: 3)
            try world.note("upx", ["there is no interface upx"])
            try host.ip(
                "route del default dev up1 via \(Internet.gateway(1)) metric 101\nroute del default dev up1 via \(Internet.gateway6(1)) metric 101"
            )
            try world.note("up1", ["up1 has no route to"])
            try host.ip("link set up1 down")
            try world.note("up1", ["up1 is down", "ip link set up1 up"])
            try host.ip("link set up1 up\naddr flush dev up1")
            try world.note("up1", ["up1 has no address"])
            // No address of the families of the server's endpoints.
            try client.change {
                $0.paths = ["up0", "up1"].map { ClientFile.Path(interface: $0, endpoint: Self.live6) }
            }
            client.bondd.signal(SIGHUP)
            try host.ip(
                "addr add 10.102.0.1/24 dev up1\nroute add default via \(Internet.gateway(1)) dev up1 metric 101"
            )
            try world.note("up1", ["up1 has only IPv4, and the server's endpoints are IPv6"])

            try host.ip(
                "addr flush dev up1\naddr add fd00:102::1/64 dev up1 nodad\nroute add default via \(Internet.gateway6(1)) dev up1 metric 101"
            )
            try world.router.ip(
                "addr add 64:ff9b::cb00:7107/128 dev lo nodad\naddr add 2001:db8:64::cb00:7107/128 dev lo nodad"
            )
            let relay = try world.python(
                Self.translator, ["64:ff9b::cb00:7107", Internet.server], in: world.router)
            defer { relay.kill() }
            client.bondd.stop()
            try client.change { $0.paths = [ClientFile.Path(interface: "up1", endpoint: Self.live)] }
            try client.bondd.start()
            let status = try world.up("by the well-known prefix", ["up1"], within: 4)
            #expect(status.path("up1")?.remote == "[64:ff9b::cb00:7107]:5000")
            relay.kill()
            let other = try world.python(
                Self.translator, ["2001:db8:64::cb00:7107", Internet.server], in: world.router)
            defer { other.kill() }
            let zone = try world.scratch.write("AAAA 2001:db8:64::c000:aa\n", to: "zone", mode: 0o644)
            let names = try world.python(Self.nameServer, [Internet.gateway6(1), zone], in: world.router)
            defer { names.kill() }
            client.bondd.stop()
            try client.bondd.start()
            let told = try world.up("by the network's own prefix", ["up1"], within: 6)
            #expect(told.path("up1")?.remote == "[2001:db8:64::cb00:7107]:5000")
        }

        /// The first uplink is dead, or behind a captive portal: `join` uses the other, resolves the name over
        /// it, and is quick.
        @Test func joinGoesByAnyUplink() throws {
            let household = try Household()
            defer { household.close() }
            let link = try household.makeServer()
            let host = try household.client("boat")
            let far = household.links[0].addresses.ipv4(.client)
            try household.server.namespace.run([
                "nft",
                "add table ip lab; add chain ip lab in { type filter hook prerouting priority -300; }; add rule ip lab in ip saddr \(far) drop",
            ])
            let start = Clock.monotonic
            let child = try host.command(["join", link] + household.joinArguments(host), seconds: 60)
            measured("join by the second uplink", Clock.monotonic - start, "s")
            #expect(child.status == .exited(0), "\(child.output) \(child.errors)")
            #expect(
                child.output.contains("1 of 2 paths work") && Clock.monotonic - start < 15, "\(child.output)")
            #expect(child.output.contains("note: \(household.links[0].name): "), "\(child.output)")
        }

        /// Answers with the current contents of the file in its second argument.
        private static let nameServer = """
            import socket, sys
            family = socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET
            s = socket.socket(family, socket.SOCK_DGRAM)
            s.bind((sys.argv[1], 53))
            kinds = {"A": (1, socket.AF_INET), "AAAA": (28, socket.AF_INET6)}
            while True:
                q, peer = s.recvfrom(512)
                n = 12
                while q[n]:
                    n += q[n] + 1
                found = b""
                count = 0
                for line in open(sys.argv[2]):
                    kind, text = line.split()
                    if kinds[kind][0] == q[n + 2]:
                        data = socket.inet_pton(kinds[kind][1], text)
                        found += b"\\xc0\\x0c" + bytes([0, q[n + 2], 0, 1, 0, 0, 0, 5, 0, len(data)]) + data
                        count += 1
                s.sendto(q[:2] + b"\\x81\\x80\\0\\1" + bytes([0, count]) + b"\\0\\0\\0\\0" + q[12:n + 5] + found, peer)
            """

        /// A translator from IPv6 to IPv4 for UDP port 5000: its address, and the one that stands for.
        private static let translator = """
            import select, socket, sys
            near = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
            near.bind((sys.argv[1], 5000))
            flows = {}
            while True:
                ready = select.select([near] + [flow for flow in flows.values()], [], [])[0]
                for s in ready:
                    if s is near:
                        data, peer = near.recvfrom(2048)
                        if peer not in flows:
                            flows[peer] = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
                            flows[peer].connect((sys.argv[2], 5000))
                        flows[peer].send(data)
                    else:
                        peer = next(p for p, f in flows.items() if f is s)
                        try:
                            near.sendto(s.recv(2048), peer)
                        except OSError:
                            pass
            """
    }
}
