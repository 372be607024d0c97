import Glibc
import Lab
import Testing

extension EndToEndTests {
    /// bondd and bondd-control, two programs of two users with one configuration file.
    @Suite("Agreement") struct Agreement {
        /// One household for all cases, as each needs a server, a client and traffic.
        @Test func twoProgramsAgreeOnOneFile() throws {
            let household = try Household()
            defer { household.close() }
            let (server, boat) = (household.server, try household.client("boat"))
            try household.join(boat, try household.makeServer())
            let flow = try TCPProbe(from: boat.namespace, to: household.internet, household.ways[0].to)
            #expect(flow.carries(milliseconds: 1000))
            try controlIsNobody(server)
            try aTypoThrowsNobodyOut(household, flow)
            try onlyRootAndControlAreHeard(server)
            try servicesEndWithTheirRules(server)
            try aClientIsRevokedWithoutControl(household, flow, boat)
        }

        private func controlIsNobody(_ server: Household.Host) throws {
            let process = try #require(server.process("bondd-control"))
            let status = try server.namespace.run(["cat", "/proc/\(process)/status"])
            #expect(status.contains("Uid:\t65534\t65534") && status.contains("CapEff:\t0000000000000400"))
            let facts = try server.namespace.run([
                "stat", "-c", "%U %a", "\(server.scratch.path)/run", "\(server.scratch.path)/run/control",
            ])
            #expect(facts == "root 750\nnobody 750\n", "\(facts)")
        }

        /// The server's address with a typo: a reload of both, a start of bondd-control, and the file corrected.
        private func aTypoThrowsNobodyOut(_ household: Household, _ flow: TCPProbe) throws {
            let server = household.server
            let text = try server.text()
            let wrong = text.replacing("address = [\"10.77.0.1/", with: "address = [\"10.77.1.1/")
            #expect(wrong != text)
            func isAsItWas() throws -> Bool {
                let list = try server.command(["clients"]).output
                return list.contains("boat") && list.contains("10.77.0.2") && list.contains("up")
            }
            func noted() throws -> Bool {
                try server.command(["status"]).output.contains("bondd.toml is not in force: ")
            }
            try server.write(wrong)
            for name in ["bondd-control", "bondd"] { server.signal(name, SIGHUP) }
            try wait(seconds: 5, "the notice", until: noted)
            #expect(flow.carries(milliseconds: 1000))
            #expect(try isAsItWas())
            server.end("bondd-control")
            try server.start("bondd-control")
            try wait(seconds: 8, "bondd-control with that file", until: isAsItWas)
            #expect(flow.carries(milliseconds: 1000))
            try server.write(text)
            for name in ["bondd", "bondd-control"] { server.signal(name, SIGHUP) }
            try wait(seconds: 5, "the notice's end") { try !noted() }
            #expect(try isAsItWas())
            #expect(flow.carries(milliseconds: 1000))
        }

        /// bondd-control's user may perform its own requests, but may neither claim a port that it does not
        /// hold nor replace bondd's socket.
        private func onlyRootAndControlAreHeard(_ server: Household.Host) throws {
            func asNobody(_ script: String) throws -> String {
                let child = try server.namespace.spawn([
                    "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "perl",
                    "-MIO::Socket::UNIX", "-e",
                    script,
                ])
                try child.wait(seconds: 5)
                return child.output + child.errors
            }
            func ask(_ request: String) throws -> String {
                try asNobody(
                    "my $s = IO::Socket::UNIX->new(Peer => '\(server.socket)') or die $!; print $s '\(request)', \"\\n\"; print scalar <$s>;"
                )
            }
            #expect(try ask("{\"do\":\"usage\"}").contains("\"ok\":true"))
            for request in ["unlock", "reload"] {
                #expect(try ask("{\"do\":\"\(request)\"}").contains("only root may do that"))
            }
            let service =
                "{\"rule\":\"file/ssh\",\"transport\":\"tcp\",\"first_port\":22,\"last_port\":22,\"target\":\"10.77.0.2\",\"target_port\":22,\"accepts\":true}"
            let answer = try ask("{\"do\":\"carry\",\"services\":[\(service)]}")
            #expect(answer.contains("has tcp port 22, which no program of user 65534 holds"), "\(answer)")
            let place = try asNobody(
                "unlink '\(server.socket)' or print \"$!\\n\"; IO::Socket::UNIX->new(Local => '\(server.socket).x', Listen => 1) or print \"$!\\n\";"
            )
            #expect(place == "Permission denied\nPermission denied\n", "\(place)")
            // However many connections it opens, some are left for root.
            let crowd = try server.namespace.spawn([
                "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "perl", "-MIO::Socket::UNIX",
                "-e",
                "$| = 1; my @s; push @s, IO::Socket::UNIX->new(Peer => '\(server.socket)') for 1..40; print \"there\\n\"; sleep 20",
            ])
            defer { crowd.kill() }
            try wait(seconds: 5, "the crowd") { crowd.output.contains("there") }
            for _ in 0..<4 { #expect(try server.command(["status"]).status == .exited(0)) }
        }

        /// A published port disappears with its rule, even while bondd-control is not running.
        private func servicesEndWithTheirRules(_ server: Household.Host) throws {
            let text = try server.text()
            func isPublished() throws -> Bool {
                try server.namespace.run(["nft", "list", "ruleset"]).contains("8443")
            }
            try server.write(
                text
                    + "\n[[rule]]\nname = \"web\"\nprotocol = \"tcp\"\nlisten_port = 8443\ntarget = \"10.77.0.2:443\"\n"
            )
            for name in ["bondd", "bondd-control"] { server.signal(name, SIGHUP) }
            try wait(seconds: 8, "the service", until: isPublished)
            server.end("bondd-control")
            server.end("bondd")
            try server.start("bondd")
            try wait(seconds: 5, "the service after a start", until: isPublished)
            try server.write(text)
            server.end("bondd")
            try server.start("bondd")
            try wait(seconds: 5, "bondd") { try server.command(["status"]).status == .exited(0) }
            #expect(try !isPublished())
        }

        /// Revoked at once and after a restart; bondd-control adopts it into its state once it is running again.
        private func aClientIsRevokedWithoutControl(
            _ household: Household, _ flow: TCPProbe, _ boat: Household.Host
        ) throws {
            let server = household.server
            try wait(seconds: 10, "a session") { try boat.command(["status"]).output.contains("  up  mode") }
            #expect(flow.carries(milliseconds: 3000))
            #expect(try server.command(["clients", "revoke", "ship"]).status == .exited(1))
            let revoked = try server.command(["clients", "revoke", "boat"])
            #expect(revoked.status == .exited(0) && revoked.output.contains("bondd-control does not run"))
            #expect(!flow.carries(milliseconds: 1000))
            server.end("bondd")
            try server.start("bondd")
            #expect(!flow.carries(milliseconds: 2000))
            try server.start("bondd-control")
            try wait(seconds: 10, "the revocation in the state") {
                let list = try server.command(["clients"])
                return list.status == .exited(0) && !list.output.contains("boat")
            }
            #expect(!flow.carries(milliseconds: 1000))
        }
    }
}
