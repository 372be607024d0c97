import Glibc
import Lab
import Testing

extension EndToEndTests {
    /// A client's name servers. Its bondd has its own /etc and PATH.
    @Suite("Name servers") struct NameServers {
        /// A bondd that sees `etc` as /etc, `run` as /run and only the programs in `bin`.
        private func program(_ scratch: Scratch, mountsFile: Bool) throws -> Program {
            let real = try Program().path
            for directory in ["etc", "bin", "run"] { mkdir("\(scratch.path)/\(directory)", 0o755) }
            // As in a sandbox or container, where the file can be written but not replaced.
            let file =
                "mount --bind \(scratch.path)/etc/resolv.conf /etc/resolv.conf && mount -o remount,bind,ro /etc &&"
            let script = """
                #!/bin/sh
                exec unshare -m sh -c '
                    mount --bind \(scratch.path)/etc /etc && mount --bind \(scratch.path)/run /run &&
                    \(mountsFile ? file : "")
                    PATH=\(scratch.path)/bin exec \(real) "$@"' sh "$@"
                """
            return Program(path: try scratch.write(script, to: "bondd", mode: 0o755))
        }

        private func text(_ path: String) throws -> String {
            try Child.run(["cat", path])
        }

        private func withClient(
            _ scratch: Scratch, mountsFile: Bool = false,
            _ body: (TunnelClient, _ file: String) throws -> Void
        ) throws {
            let tunnel = try Tunnel(clientProgram: try program(scratch, mountsFile: mountsFile))
            defer { tunnel.close() }
            let client = try tunnel.client("laptop", wires: ["wire"])
            try client.change { $0.dns = ["10.77.0.1", "fd77::1"] }
            try tunnel.server.start()
            try body(client, "\(scratch.path)/etc/resolv.conf")
        }

        private let ours = "nameserver 10.77.0.1\nnameserver fd77::1\n"

        private func waitForOurs(_ file: String, seconds: Int = 3) throws {
            for _ in 0..<seconds * 100 where try !text(file).hasSuffix(ours) { usleep(10_000) }
            #expect(try text(file).hasSuffix(ours))
        }

        @Test(arguments: [false, true]) func aFileComesBackHoweverItEnds(isMounted: Bool) throws {
            let scratch = try Scratch()
            let was = "search example.org\nnameserver 192.0.2.53\n"
            mkdir("\(scratch.path)/etc", 0o755)
            try scratch.write(was, to: "etc/resolv.conf", mode: 0o644)
            try withClient(scratch, mountsFile: isMounted) { client, file in
                for ending in ["stop", "kill, start, stop", "kill, cleanup"] {
                    try client.bondd.start()
                    try waitForOurs(file)
                    if ending == "stop" {
                        client.bondd.stop()
                    } else {
                        client.bondd.kill()
                        #expect(try text(file).hasSuffix(ours))
                    }
                    if ending == "kill, start, stop" {
                        try client.bondd.start()
                        try client.waitUntilWhole()
                        try waitForOurs(file)
                        client.bondd.stop()
                    }
                    if ending == "kill, cleanup" {
                        let directory = client.bondd.stateDirectory
                        _ = try client.bondd.command(
                            ["cleanup", "--config", client.bondd.file, "--state-dir", directory])
                    }
                    #expect(try text(file) == was, "\(ending)")
                }
            }
        }

        @Test func aLinkComesBackAndWhatOthersWriteStays() throws {
            let scratch = try Scratch()
            try withClient(scratch) { client, file in
                try scratch.write("nameserver 192.0.2.53\n", to: "stub")
                try Child.run(["ln", "-s", "../stub", file])
                try client.bondd.start()
                try waitForOurs(file)
                client.bondd.stop()
                #expect(try Child.run(["readlink", file]) == "../stub\n")
                #expect(try text("\(scratch.path)/stub") == "nameserver 192.0.2.53\n")
                // A DHCP client writes its own in the meantime.
                try client.bondd.start()
                try waitForOurs(file)
                let theirs = "nameserver 198.51.100.53\n"
                unlink(file)
                try scratch.write(theirs, to: "etc/resolv.conf", mode: 0o644)
                client.bondd.stop()
                #expect(try text(file) == theirs)
                // When bondd continues, its own are set again, and the DHCP client's are restored later.
                try client.bondd.start()
                try waitForOurs(file)
                let newer = "nameserver 198.51.100.54\n"
                unlink(file)
                try scratch.write(newer, to: "etc/resolv.conf", mode: 0o644)
                try waitForOurs(file, seconds: 13)
                client.bondd.stop()
                #expect(try text(file) == newer)
            }
        }

        /// systemd-resolved is used if it is running and resolves the host's names.
        @Test func resolvedIsTold() throws {
            let scratch = try Scratch()
            try withClient(scratch) { client, file in
                let was = "nameserver 127.0.0.53\n"
                try scratch.write(was, to: "etc/resolv.conf", mode: 0o644)
                try Child.run(["mkdir", "-p", "\(scratch.path)/run/systemd/resolve"])
                let said = "\(scratch.path)/said"
                try scratch.write(
                    "#!/bin/sh\necho \"$@\" >>\(said)\n", to: "bin/resolvectl", mode: 0o755)
                try client.bondd.start()
                try client.waitUntilWhole()
                usleep(500_000)
                client.bondd.stop()
                #expect(
                    try text(said)
                        == "dns bond0 10.77.0.1 fd77::1\ndomain bond0 ~.\ndefault-route bond0 yes\n"
                        + "revert bond0\n")
                #expect(try text(file) == was)
            }
        }

        @Test func resolvconfIsToldAndToldAgain() throws {
            let scratch = try Scratch()
            try withClient(scratch) { client, file in
                try scratch.write("nameserver 192.0.2.53\n", to: "etc/resolv.conf", mode: 0o644)
                let said = "\(scratch.path)/said"
                let script = "#!/bin/sh\necho \"$@\" >>\(said)\n[ $1 = -a ] && /bin/cat >>\(said)\nexit 0\n"
                try scratch.write(script, to: "bin/resolvconf", mode: 0o755)
                try client.bondd.start()
                for _ in 0..<300 where access(said, F_OK) != 0 { usleep(10_000) }
                usleep(100_000)
                client.bondd.kill()
                _ = try client.bondd.command(
                    ["cleanup", "--config", client.bondd.file, "--state-dir", client.bondd.stateDirectory])
                #expect(try text(said) == "-a tun.bond0.bondd -m 0 -x\n\(ours)-d tun.bond0.bondd\n")
                #expect(try text(file) == "nameserver 192.0.2.53\n")
            }
        }

        /// A full tunnel to a server that offers no name servers, and two uplinks each with a resolver only for
        /// its own customers: names resolve from the beginning, and when either uplink dies.
        @Test(arguments: [false, true]) func namesGoOnWhenAnUplinkDies(refusing: Bool) throws {
            let scratch = try Scratch()
            let internet = try Internet(clientProgram: try program(scratch, mountsFile: false))
            defer { internet.close() }
            let servers = ["100.64.53.53", "100.64.54.54"]
            let responders = try servers.enumerated().map { i, server in
                try internet.router.ip("addr add \(server) dev lo")
                return NameResponder(
                    in: internet.router, at: server, serving: ["10.\(Internet.network(i)).0.1"],
                    refuses: refusing)
            }
            defer { for responder in responders { responder.stop() } }
            let was = servers.map { "nameserver \($0)\n" }.joined()
            try scratch.write(was, to: "etc/resolv.conf", mode: 0o644)
            let client = internet.client
            try client.change { $0.routes = ["0.0.0.0/0", "::/0"] }
            for i in 0..<2 { try internet.addDefault(i, "metric \(100 + i)") }
            func resolves() throws -> Bool {
                let script =
                    "mount --bind \(scratch.path)/etc /etc && timeout 3 getent hosts a.test | grep -q 198.51.100.1"
                let child = try client.namespace.spawn(["unshare", "-m", "sh", "-c", script])
                try child.wait(seconds: 5)
                return child.status == .exited(0)
            }
            #expect(try resolves())
            try internet.tunnel.start()
            try wait(seconds: 5, "the rules of a full tunnel") {
                try internet.routing()[2].contains("not from")
            }
            try wait(seconds: 10, "names") { try resolves() }
            try wait(seconds: 5, "a notice") {
                try client.bondd.statusText().contains(
                    "names are asked outside the tunnel, of 100.64.53.53 by up0")
            }
            for i in 0..<2 {
                try client.namespace.ip("link set up\(i) down")
                try wait(seconds: 10, "names without up\(i)") { try resolves() }
                try client.namespace.ip("link set up\(i) up")
                try internet.addDefault(i, ipv6: false, "metric \(100 + i)")
                try wait(seconds: 10, "up\(i)") {
                    try client.bondd.status().sessions.first?.paths.allSatisfy { $0.state == "up" } ?? false
                }
            }
            client.bondd.stop()
            #expect(try text("\(scratch.path)/etc/resolv.conf") == was)
            #expect(try !internet.routing()[2].contains("dport"))
        }

        /// A program that makes systemd-resolved forget the tunnel's name servers, like NetworkManager when it
        /// restarts.
        @Test func resolvedIsToldAgainWhenItHasForgotten() throws {
            let scratch = try Scratch()
            try withClient(scratch) { client, _ in
                try scratch.write("nameserver 127.0.0.53\n", to: "etc/resolv.conf", mode: 0o644)
                try Child.run(["mkdir", "-p", "\(scratch.path)/run/systemd/resolve"])
                let known = "\(scratch.path)/known"
                let script = """
                    #!/bin/sh
                    case "$1 $#" in
                    "dns 2") read servers <\(known); echo "Link 7 (bond0): $servers";;
                    dns*) shift 2; echo "$@" >\(known);;
                    revert*) : >\(known);;
                    esac
                    """
                try scratch.write(script, to: "bin/resolvectl", mode: 0o755)
                try client.bondd.start()
                func isTold() throws -> Bool { try text(known) == "10.77.0.1 fd77::1\n" }
                try wait(seconds: 5, "the name servers") { access(known, F_OK) == 0 ? try isTold() : false }
                try scratch.write("\n", to: "known", mode: 0o644)
                try wait(seconds: 15, "the name servers again") { try isTold() }
                client.bondd.stop()
                #expect(try text(known) == "")
            }
        }
    }
}
