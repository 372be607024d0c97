import Glibc
import Lab
import Testing

extension EndToEndTests {
    /// `bondd init` on a server and `bondd join` on a client, and everything that may go wrong.
    @Suite("Onboarding", .lane(.waitingToo)) struct Onboarding {
        private func inHousehold(_ body: (Household) throws -> Void) throws {
            let household = try Household()
            defer { household.close() }
            try body(household)
        }

        /// Two commands, and the internet is reachable over both IP versions; after a kill, a restart and a
        /// stop, both hosts are in their original state.
        @Test func twoCommandsMakeATunnel() throws {
            try inHousehold { household in
                let (server, client) = (household.server, try household.client("boat"))
                let before = (try server.surface(), try client.surface())
                try household.join(client, try household.makeServer())
                try household.reachesTheInternet(client)
                #expect(try server.surface() != before.0 && client.surface() != before.1)
                let list = try server.command(["clients"]).output
                #expect(list.contains("boat") && list.contains("10.77.0.2") && list.contains("up"), "\(list)")
                #expect(list.contains(/with bondd \d/), "\(list)")
                for signal in [SIGTERM, SIGKILL] {
                    client.end("bondd", signal)
                    server.end("bondd", signal)
                    if signal == SIGTERM {
                        expectSame(try server.surface(), before.0)
                        expectSame(try client.surface(), before.1)
                    }
                    try server.start("bondd")
                    try client.start("bondd")
                    try wait(seconds: 8, "a session") {
                        try client.command(["status"]).output.contains("  up  mode")
                    }
                    try household.reachesTheInternet(client)
                }
                client.end("bondd")
                server.end("bondd")
                expectSame(try server.surface(), before.0)
                expectSame(try client.surface(), before.1)
            }
        }

        private func expectSame(_ now: [String], _ before: [String]) {
            for (now, before) in zip(now, before) where now != before {
                let (new, old) = (Set(now.split(separator: "\n")), Set(before.split(separator: "\n")))
                Issue.record("came: \(new.subtracting(old).sorted()), went: \(old.subtracting(new).sorted())")
            }
        }

        /// A session needs no bondd-control, and a server restarted without it knows its clients.
        @Test func theServerKnowsItsClientsWithoutControl() throws {
            try inHousehold { household in
                let client = try household.client("boat")
                try household.join(client, try household.makeServer())
                household.server.end("bondd-control", SIGKILL)
                household.server.end("bondd", SIGKILL)
                try household.server.start("bondd")
                try wait(seconds: 8, "a session") {
                    try client.command(["status"]).output.contains("  up  mode")
                }
                try household.reachesTheInternet(client)
                let child = try household.server.command(["clients"])
                #expect(child.status == .exited(1) && child.errors.contains("no bondd-control answers on"))
            }
        }

        /// One sentence for each, and nothing is left on the client but its key.
        @Test func invitationsThatAreNoGood() throws {
            try inHousehold { household in
                let link = try household.makeServer()
                let client = try household.client("boat")
                try household.join(client, link)
                let other = try household.client("van")
                func sentence(_ link: String) throws -> String {
                    let child = try other.command(["join", link] + household.joinArguments(other))
                    #expect(child.status == .exited(1))
                    #expect(access(other.config, F_OK) != 0)
                    #expect(child.errors.split(separator: "\n").count == 1, "\(child.errors)")
                    return child.errors
                }
                #expect(try sentence(link).contains("has no uses left; ask for another"))
                var damaged = Array(link)
                damaged[40] = damaged[40] == "A" ? "B" : "A"
                #expect(try sentence(String(damaged)).contains("the join link is damaged; copy it whole"))
                // One that expired without being waited for.
                let invitation = try household.server.command(["invite", "van", "--ttl", "60s", "--no-qr"])
                let short = try #require(Household.link(in: invitation.output), "\(invitation.errors)")
                let second = try household.server.command(["invite", "van"])
                #expect(second.status == .exited(1) && second.errors.contains("van"), "\(second.errors)")
                household.server.end("bondd-control")
                let expire = "UPDATE invitations SET expires_at = expires_at - 61 WHERE name = 'van'"
                try household.server.namespace.run([
                    "sqlite3", "\(household.server.state)/control/state.sqlite", expire,
                ])
                try household.server.start("bondd-control")
                #expect(try sentence(short).contains("the invitation has expired; ask for another"))
                // One that was revoked.
                let third = try household.server.command(["invite", "bike", "--no-qr"])
                let back = try #require(Household.link(in: third.output), "\(third.errors)")
                let revoked = try household.server.command(["clients", "revoke", "bike"])
                #expect(revoked.status == .exited(0), "\(revoked.errors)")
                #expect(try sentence(back).contains("was revoked; ask for another"))
                // A link of another server that contains this one's endpoint.
                let elsewhere = try Household.Host(try household.lab.namespace("elsewhere"), Program().path)
                defer { elsewhere.close() }
                try elsewhere.namespace.ip("addr add 192.0.2.1/32 dev lo")
                let made = try elsewhere.command([
                    "init", "--config", elsewhere.config, "--state-dir", elsewhere.state, "--endpoint",
                    household.endpoint, "--control-user", Household.Host.controlUser,
                ])
                let foreign = try #require(Household.link(in: made.output), "\(made.output) \(made.errors)")
                #expect(try sentence(foreign).contains("no server with this link's key answers at"))
            }
        }

        /// Its traffic stops within a second, its key is refused, and the other client is unaffected.
        @Test func aRevokedClientIsOut() throws {
            try inHousehold { household in
                let (boat, van) = (try household.client("boat"), try household.client("van"))
                try household.join(boat, try household.makeServer())
                let invitation = try household.server.command(["invite", "van", "--no-qr"])
                try household.join(van, try #require(Household.link(in: invitation.output)))
                let flow = try TCPProbe(from: boat.namespace, to: household.internet, household.ways[0].to)
                let other = try TCPProbe(from: van.namespace, to: household.internet, household.ways[0].to)
                #expect(flow.carries(milliseconds: 1000) && other.carries(milliseconds: 1000))
                let revoked = try household.server.command(["clients", "revoke", "boat"])
                #expect(revoked.status == .exited(0), "\(revoked.errors)")
                #expect(!flow.carries(milliseconds: 1000))
                #expect(other.carries(milliseconds: 1000))
                try wait(seconds: 10, "the refusal") {
                    boat.log("bondd").contains("does not know this client's key")
                }
                let list = try household.server.command(["clients"]).output
                #expect(!list.contains("boat") && list.contains("van"), "\(list)")
                try household.reachesTheInternet(van)
            }
        }

        /// bondd-control dies during a download, a scrape, an invitation and a join: the download and the session
        /// continue, and the join succeeds once it is back.
        @Test func controlIsKilledInTheMiddleOfItAll() throws {
            try inHousehold { household in
                let (server, boat) = (household.server, try household.client("boat"))
                try household.join(boat, try household.makeServer())
                let invitation = try server.command(["invite", "van", "--no-qr"])
                let link = try #require(Household.link(in: invitation.output))
                let van = try household.client("van")
                var plan = TCPFlow.Plan(to: household.ways[0].to, seconds: 12)
                plan.reverse = true
                plan.interval = 0.25
                plan.congestion = "cubic"
                let download = try TCPFlow.start(from: boat.namespace, to: household.internet, plan)
                let scrape =
                    "for i in $(seq 300); do exec 3<>/dev/tcp/127.0.0.1/8098 && printf 'GET /metrics HTTP/1.0\\r\\n\\r\\n' >&3 && cat <&3; sleep 0.02; done"
                let scraper = try server.namespace.spawn(["bash", "-c", scrape])
                let inviting = try server.begin(["invite", "bike", "--no-qr"])
                let joining = try van.begin(["join", link] + household.joinArguments(van))
                // At a random point of each of them.
                usleep(30_000)
                server.end("bondd-control", SIGKILL)
                try inviting.wait(seconds: 15)
                let isInvited = inviting.status == .exited(0)
                #expect(isInvited || inviting.errors.split(separator: "\n").count == 1, "\(inviting.errors)")
                sleep(4)
                try server.start("bondd-control")
                try joining.wait(seconds: 40)
                van.note(joining.output)
                #expect(joining.status == .exited(0), "\(joining.output) \(joining.errors)")
                try household.reachesTheInternet(van)
                let flow = try download.finish()
                measured("download while bondd-control was killed", flow.megabits, "Mbit/s")
                #expect(flow.series.allSatisfy { $0 > 1 }, "\(flow.series)")
                scraper.kill()
                #expect(scraper.output.contains("bondd_up 1"), "\(scraper.output.suffix(300))")
                #expect(!server.log("bondd").contains("session is closed peer=boat"))
            }
        }

        /// Setting up twice has no further effect.
        @Test func aHostThatIsSetUpIsLeftAlone() throws {
            try inHousehold { household in
                let link = try household.makeServer()
                let text = try household.server.namespace.run(["cat", household.server.config])
                let again = try household.server.command([
                    "init", "--config", household.server.config, "--state-dir", household.server.state,
                ])
                #expect(again.status == .exited(1))
                #expect(again.errors.contains("exists, so this host is set up already"), "\(again.errors)")
                let join = try household.server.command(["join", link, "--config", household.server.config])
                #expect(join.status == .exited(1) && join.errors.contains("is set up already"))
                #expect(try household.server.namespace.run(["cat", household.server.config]) == text)
                #expect(household.server.isRunning("bondd") && household.server.isRunning("bondd-control"))
            }
        }

        /// A server whose name bond0 is taken, without IPv6, and with a firewall that drops unknown packets; a
        /// client whose bond0 is taken, too. Repeated commands resume, and a joined client can leave.
        @Test func hostsThatAreNotEmpty() throws {
            try inHousehold { household in
                let (server, boat) = (household.server, try household.client("boat"))
                for host in [server, boat] {
                    try host.namespace.ip("link add bond0 type veth peer name card")
                }
                for key in ["all", "default"] {
                    try server.namespace.sysctl("net/ipv6/conf/\(key)/disable_ipv6", "1")
                }
                try server.namespace.run([
                    "nft",
                    "add table inet fw; add chain inet fw in { type filter hook input priority 0; policy drop; }; "
                        + "add rule inet fw in ct state established,related accept; add rule inet fw in iifname lo accept; "
                        + "add rule inet fw in iifname bondd0 accept; add rule inet fw in udp dport 5000 accept",
                ])
                let before = try boat.surface()
                let places = [
                    "--config", server.config, "--state-dir", server.state, "--endpoint", household.endpoint,
                ]
                let made = try server.command(["init", "--client", "boat"] + places)
                let link = try #require(Household.link(in: made.output), "\(made.output) \(made.errors)")
                for part in [
                    "the tunnel's is bondd0", "IPv6 is switched off",
                    "nft insert rule inet fw in udp dport 5000",
                ] {
                    #expect(made.output.contains(part), "\(made.output)")
                }
                #expect(!made.output.contains("join bondd://"))
                let text = try server.namespace.run(["cat", server.config])
                #expect(!text.contains("[::]") && !text.contains("\"fd") && text.contains("\ndns = ["))
                // Interrupted: it resumes with what exists.
                for name in ["bondd-control", "bondd"] { server.end(name) }
                let again = try server.command(["init", "--client", "van"] + places)
                #expect(
                    again.status == .exited(0) && Household.link(in: again.output) != nil, "\(again.errors)")
                #expect(try server.namespace.run(["cat", server.config]) == text)
                // A glob that bondd rejects costs nothing.
                let arguments = household.joinArguments(boat)
                let refused = try boat.command(["join", link] + arguments + ["--interface", "a b"])
                #expect(refused.status == .exited(1), "\(refused.output)")
                try household.join(boat, link)
                #expect(try boat.command(["status"]).output.contains("bondd0"))
                boat.end("bondd")
                let repeated = try boat.command(["join", link] + arguments)
                #expect(repeated.output.contains("has joined already"), "\(repeated.errors)")
                #expect(repeated.output.contains("2 of 2 paths work"), "\(repeated.output)")
                let probe = try TCPProbe(from: boat.namespace, to: household.internet, household.ways[0].to)
                #expect(probe.peer == household.ways[0].seen && probe.carries(milliseconds: 2000))
                try leaves(boat, before)
                // Half-joined: only the key exists.
                try boat.namespace.run([
                    "cp", "\(boat.config.dropLast("bondd.toml".count))client.key.left",
                    "\(boat.config.dropLast("bondd.toml".count))client.key",
                ])
                let half = try boat.command(["leave", "--config", boat.config, "--state-dir", boat.state])
                #expect(half.status == .exited(0), "\(half.errors)")
                let nothing = try boat.command(["leave", "--config", boat.config, "--state-dir", boat.state])
                #expect(nothing.status == .exited(1) && nothing.errors.contains("has not joined"))
                // With a fresh link it comes back, although the interface of that name still exists.
                let fresh = try server.command(["invite", "boat-2", "--no-qr"])
                try household.join(boat, try #require(Household.link(in: fresh.output), "\(fresh.errors)"))
                try leaves(boat, before)
                for host in [server, boat] {
                    #expect(try host.namespace.run(["ip", "-d", "link", "show", "bond0"]).contains("veth"))
                }
            }
        }

        /// Runs `bondd leave`, after which the host is in its original state.
        private func leaves(_ host: Household.Host, _ before: [String]) throws {
            let left = try host.command(["leave", "--config", host.config, "--state-dir", host.state])
            #expect(left.status == .exited(0), "\(left.output) \(left.errors)")
            #expect(left.output.contains("bondd clients revoke NAME"))
            #expect(access(host.config, F_OK) != 0 && access("\(host.config).left", F_OK) == 0)
            #expect(try host.surface() == before)
        }
    }
}
