import Glibc
import Lab
import Testing

extension EndToEndTests {
    /// Changes that bondd makes to its host, and undoes.
    @Suite("The host", .lane(.waitingToo)) struct Host {
        /// Everything that bondd might change in a namespace's network.
        private func network(_ namespace: Namespace) throws -> [String] {
            let commands = [
                "ip -j -details link", "ip -j addr", "ip -j -4 route show table all",
                "ip -j -6 route show table all", "ip -j -4 rule", "ip -j -6 rule", "nft -s list ruleset",
                "ss -Hlnu", "ss -Hlnt", "cat /proc/sys/net/ipv4/ip_forward",
            ]
            return try commands.map { command in
                try namespace.run(command.split(separator: " ").map(String.init))
            }
        }

        @Test(arguments: [SIGTERM, SIGINT]) func isLeftAsItWas(_ signal: Int32) throws {
            let tunnel = try Tunnel()
            defer { tunnel.close() }
            let client = try tunnel.client("laptop", uplinks: fibreAndLTE)
            try client.change { $0.routes = ["0.0.0.0/0", "::/0", "198.51.100.0/24"] }
            let before = (try network(client.namespace), try network(tunnel.server.namespace))
            try tunnel.start()
            #expect(try PingRun.run(from: client.namespace, to: Tunnel.serverAddress, count: 10).loss == 0)
            #expect(try client.namespace.ip("route").contains("198.51.100.0/24 dev bond0"))
            for family in ["-4", "-6"] {
                let all = try client.namespace.run(["ip", family, "route", "show", "table", "all"])
                #expect(all.contains("default dev bond0 table"), "\(all)")
            }
            #expect(try network(client.namespace) != before.0)
            for bondd in [client.bondd, tunnel.server] {
                bondd.signal(signal)
                #expect(try bondd.child?.wait(seconds: 2) == .exited(0))
                #expect(access(bondd.socket, F_OK) != 0, "the control socket is still there")
            }
            #expect(try network(client.namespace) == before.0)
            #expect(try network(tunnel.server.namespace) == before.1)
        }

        @Test func theServerSeesAtOnceThatAClientHasLeft() throws {
            try withTunnel(fibreAndLTE) { tunnel, client in
                client.bondd.stop()
                try tunnel.server.wait(for: "the session's end", seconds: 1) { status in
                    status.session("laptop")?.state != "up"
                }
            }
        }

        @Test func killedItLeavesNoInterfaceAndStartsAgain() throws {
            try withTunnel(fibreAndLTE) { tunnel, client in
                for _ in 0..<3 {
                    client.bondd.kill()
                    tunnel.server.kill()
                    #expect(access(client.bondd.socket, F_OK) == 0, "no stale socket to start over")
                    #expect(try !client.namespace.ip("link").contains("bond0"))
                    try tunnel.server.start()
                    try client.bondd.start()
                    try client.waitUntilWhole()
                }
                let run = try PingRun.run(from: client.namespace, to: Tunnel.serverAddress, count: 10)
                #expect(run.loss == 0)
            }
        }

        @Test func aSecondInstanceIsRefusedAndTheFirstUnharmed() throws {
            try withTunnel(["fibre=100/5"]) { tunnel, client in
                let second = try client.bondd.command(["run", "--config", client.bondd.file])
                #expect(second.status == .exited(1))
                #expect(second.errors.split(separator: "\n").count == 1, "\(second.errors)")
                #expect(second.errors.contains("another bondd"), "\(second.errors)")
                #expect(try client.bondd.status().isWhole)
                let run = try PingRun.run(from: client.namespace, to: Tunnel.serverAddress, count: 10)
                #expect(run.loss == 0)
            }
        }

        /// IPv6 is left out while it is disabled on the host, and used once it is enabled; removed addresses
        /// and routes are restored; without the interface bondd ends.
        @Test func theTunnelsInterfaceIsKeptAsItShouldBe() throws {
            let tunnel = try Tunnel()
            defer { tunnel.close() }
            let client = try tunnel.client("laptop", uplinks: ["fibre=100/5"])
            try client.change { $0.routes = ["198.51.100.0/24", "2001:db8:51::/48"] }
            let (host, server) = (client.namespace, tunnel.server.namespace)
            func setIPv6(off: Bool, in namespaces: [Namespace]) throws {
                for namespace in namespaces {
                    for name in ["all", "default"] {
                        try namespace.sysctl("net/ipv6/conf/\(name)/disable_ipv6", off ? "1" : "0")
                    }
                }
            }
            func reaches(_ address: String) throws -> Bool {
                try PingRun.run(from: host, to: address, count: 5).loss == 0
            }
            func isComplete() throws -> Bool {
                let routes =
                    try host.run(["ip", "-4", "route", "show", "dev", "bond0"])
                    + host.run(["ip", "-6", "route", "show", "dev", "bond0"])
                let addresses = try host.ip("addr show dev bond0") + server.ip("addr show dev bond0")
                return ["198.51.100.0/24", "2001:db8:51::/48"].allSatisfy(routes.contains)
                    && ["10.77.0.2/24", "fd77::2/64", "10.77.0.1/24", "fd77::1/64"].allSatisfy(
                        addresses.contains)
            }
            try setIPv6(off: true, in: [host, server])
            try tunnel.changeServer { $0.listen.append("[2001:db8::7]:5000") }
            try tunnel.start()
            #expect(try reaches(Tunnel.serverAddress))
            #expect(tunnel.server.log.contains("so [2001:db8::7]:5000 is not listened on"))
            let notice = "so the tunnel's IPv6 addresses are left out"
            #expect(try tunnel.server.statusText().contains(notice))
            // The server assigns only addresses from which it can answer.
            #expect(try !client.bondd.statusText().contains(notice))
            try setIPv6(off: false, in: [server])
            try wait(seconds: 12, "the client's notice") { try client.bondd.statusText().contains(notice) }
            #expect(try host.ip("route show dev bond0").contains("198.51.100.0/24"))
            for bondd in [client.bondd, tunnel.server] {
                #expect(bondd.log.components(notice) == 1, "\(bondd.log)")
            }
            try setIPv6(off: false, in: [host])
            try wait(seconds: 12, "IPv6 in the tunnel") { try isComplete() }
            #expect(try reaches("fd77::1"))
            #expect(try !client.bondd.statusText().contains("IPv6 is off"))
            for namespace in [host, server] { try namespace.ip("link set bond0 down\nlink set bond0 up") }
            try wait(seconds: 2, "the state after switching off and on") { try isComplete() }
            try host.ip("route del 198.51.100.0/24 dev bond0\naddr del 10.77.0.2/24 dev bond0")
            try wait(seconds: 2, "what was taken away") { try isComplete() }
            try host.run(["ip", "-6", "route", "flush", "dev", "bond0", "proto", "static"])
            try host.ip("route flush dev bond0")
            for namespace in [host, server] { try namespace.ip("addr flush dev bond0") }
            try wait(seconds: 2, "what was flushed") { try isComplete() }
            #expect(try reaches(Tunnel.serverAddress) && reaches("fd77::1"))
            // Another program's route in place of one of the tunnel's stays, and is reported.
            try host.ip("route replace 198.51.100.0/24 dev fibre")
            try wait(seconds: 2, "the notice") {
                try client.bondd.statusText().replacing("\\/", with: "/")
                    .contains("the host has a route to 198.51.100.0/24 through fibre already")
            }
            try host.ip("route del 198.51.100.0/24")
            try wait(seconds: 2, "the route in its place") { try isComplete() }
            for (bondd, namespace) in [(client.bondd, host), (tunnel.server, server)] {
                try namespace.ip("link del bond0")
                #expect(try bondd.child?.wait(seconds: 3) == .exited(1))
                #expect(bondd.log.contains("the interface bond0 was deleted"))
            }
            #expect(try !host.ip("rule").contains("proto 176"))
        }

        /// As in a container: without filters nothing has to be set, and if the filter is strict there is a
        /// notice.
        @Test func kernelParametersMayBeReadOnly() throws {
            let scratch = try Scratch()
            let script = """
                #!/bin/sh
                exec unshare -m sh -c 'mount -o bind,ro /proc/sys /proc/sys && exec \(try Program().path) "$@"' sh "$@"
                """
            let program = Program(path: try scratch.write(script, to: "bondd", mode: 0o755))
            let tunnel = try Tunnel(clientProgram: program)
            defer { tunnel.close() }
            let client = try tunnel.client("laptop", uplinks: ["fibre=100/5"])
            try tunnel.start()
            #expect(try client.bondd.status().problems ?? [] == [])
            #expect(try !client.bondd.statusText().contains("rp_filter"))
            client.bondd.stop()
            try client.namespace.sysctl("net/ipv4/conf/all/rp_filter", "1")
            try client.bondd.start()
            try client.waitUntilWhole()
            #expect(try client.bondd.status().problems ?? [] == [])
            #expect(try client.bondd.statusText().contains("rp_filter"))
        }

        /// As with `ipv6.disable=1`: no process can open an IPv6 socket (a seccomp filter answers EAFNOSUPPORT).
        @Test func aServerListensWithoutIPv6() throws {
            let scratch = try Scratch()
            let filter = """
                import ctypes, os, struct, sys
                # Loads the call's number and its first argument; socket(AF_INET6, …) fails with EAFNOSUPPORT.
                number = {"x86_64": 41, "aarch64": 198}[os.uname().machine]
                steps = [(0x20, 0, 0, 0), (0x15, 0, 3, number), (0x20, 0, 0, 16), (0x15, 0, 1, 10),
                         (0x06, 0, 0, 0x50000 | 97), (0x06, 0, 0, 0x7FFF0000)]
                code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in steps))
                class Program(ctypes.Structure):
                    _fields_ = [("count", ctypes.c_ushort), ("code", ctypes.c_void_p)]
                program = Program(len(steps), ctypes.cast(code, ctypes.c_void_p))
                prctl = ctypes.CDLL(None).prctl
                assert prctl(38, 1, 0, 0, 0) == 0 and prctl(22, 2, ctypes.byref(program), 0, 0) == 0
                os.execv(sys.argv[1], sys.argv[1:])
                """
            try scratch.write(filter, to: "filter.py")
            let script = """
                #!/bin/sh
                exec python3 \(scratch.path)/filter.py \(try Program().path) "$@"
                """
            let program = Program(path: try scratch.write(script, to: "bondd", mode: 0o755))
            let tunnel = try Tunnel(serverProgram: program)
            defer { tunnel.close() }
            _ = try tunnel.client("laptop", uplinks: ["fibre=100/5"])
            try tunnel.start()
            #expect(
                try tunnel.server.statusText().contains(
                    "this kernel has no IPv6, so [::]:5000 is not listened on"))
            // Without any other address there is nothing to serve.
            tunnel.server.stop()
            try tunnel.changeServer { $0.listen = ["[::]:5000"] }
            try tunnel.server.start()
            #expect(try tunnel.server.child?.wait(seconds: 3) == .exited(1))
            #expect(tunnel.server.log.contains("can't listen on [::]:5000"))
        }

        @Test func aClientLivesThroughALostInterfaceOfItsOwn() throws {
            try withTunnel(["fibre=100/5"]) { tunnel, client in
                // The tunnel's interface is set down and up; whatever is logged, bondd must not end.
                try client.namespace.ip("link set bond0 down")
                usleep(300_000)
                #expect(client.bondd.isRunning)
                #expect(try client.bondd.status().sessions.first?.state == "up")
            }
        }
    }
}

extension String {
    /// The number of occurrences of another text in this one.
    fileprivate func components(_ text: String) -> Int { ranges(of: text).count }
}
