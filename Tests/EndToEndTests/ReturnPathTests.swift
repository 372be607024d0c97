import ControlProtocol
import Glibc
import Lab
import Testing

extension EndToEndTests.KernelServices {
    /// A client's replies to connections through the tunnel, regardless of its own default route.
    @Suite("The return path", .lane(.measuring)) struct ReturnPath {
        /// Without any default route, with the tunnel as default, and with a kill switch; also if the uplinks'
        /// routes would take precedence for the answers.
        @Test(arguments: ["none", "tunnel", "tunnel and kill switch", "uplinks and kill switch"])
        func answersReturnByTheTunnel(_ route: String) throws {
            let world = try ServiceWorld(nat: "enabled = true")
            defer { world.internet.close() }
            if route == "none" {
                for i in 0..<2 {
                    for (server, gateway) in [
                        (Internet.server, Internet.gateway(i)), (Internet.server6, Internet.gateway6(i)),
                    ] {
                        try world.client.namespace.ip(
                            "route add \(server) via \(gateway) dev up\(i) metric \(i + 1)")
                    }
                }
            } else {
                try world.client.change {
                    if route.hasPrefix("tunnel") { $0.routes = ["0.0.0.0/0", "::/0"] }
                    $0.killSwitch = route.contains("kill switch")
                }
                for i in 0..<2 { try world.internet.addDefault(i, "metric \(100 + i)") }
            }
            try world.internet.tunnel.start()
            #expect(
                try world.carry([world.service("web"), world.service("web6", ports: 9080...9080, way: 1)])
                    == nil)
            for (way, port) in [(0, UInt16(8080)), (1, 9080)] {
                let probe = try world.tcp(way, port: port)
                #expect(probe.peer == world.ways[way].user)
                #expect(probe.carries(milliseconds: 2000) && probe.carriesBack(milliseconds: 2000))
            }
        }

        /// A host behind the client, to which the client's own firewall redirects a port, as for published
        /// containers.
        @Test func hostsBehindTheClientAnswerByTheTunnel() throws {
            try ServiceWorld.run { world in
                let box = try world.internet.tunnel.lab.namespace("box")
                let wire = try world.internet.tunnel.lab.veth(
                    "docker0", from: world.client.namespace, to: box)
                let inside = (wire.addresses.ipv4(.server), wire.addresses.ipv6(.server))
                try box.ip("route add default via \(wire.addresses.ipv4(.client))")
                try box.ip("route add default via \(wire.addresses.ipv6(.client))")
                for key in ["net/ipv4/ip_forward", "net/ipv6/conf/all/forwarding"] {
                    try world.client.namespace.sysctl(key, "1")
                }
                try world.client.namespace.run([
                    "nft",
                    "add table inet box; add chain inet box in { type nat hook prerouting priority dstnat; }; "
                        + "add rule inet box in iifname bond0 tcp dport 80 dnat ip to \(inside.0); "
                        + "add rule inet box in iifname bond0 tcp dport 80 dnat ip6 to \(inside.1)",
                ])
                #expect(
                    try world.carry([world.service("web"), world.service("web6", ports: 9080...9080, way: 1)])
                        == nil)
                for (way, port, place) in [(0, UInt16(8080), inside.0), (1, 9080, inside.1)] {
                    let probe = try TCPProbe(
                        from: world.user, to: box, world.ways[way].to, port: port, at: (place, 80))
                    #expect(probe.peer == world.ways[way].user)
                    #expect(probe.carries(milliseconds: 2000) && probe.carriesBack(milliseconds: 2000))
                }
                // Connections that begin here leave as before.
                let own = try TCPProbe(
                    from: world.client.namespace, to: world.user, world.internet.core.addresses.ipv4(.server))
                #expect(own.peer != world.client.address && own.carries(milliseconds: 2000))
            }
        }

        /// With a full tunnel and strict reverse-path filters: connections from beyond the uplinks' routers, from before the
        /// tunnel (such as the operator's login), new ones, and those to a container with published ports.
        @Test func whatComesInByAnUplinkIsAnsweredByIt() throws {
            let internet = try Internet()
            defer { internet.close() }
            let (client, lab) = (internet.client.namespace, internet.tunnel.lab)
            let owner = try lab.namespace("owner")
            let far = try lab.veth("far", from: owner, to: internet.router)
            try owner.ip("route add default via \(far.addresses.ipv4(.server))")
            try owner.ip("route add default via \(far.addresses.ipv6(.server))")
            try internet.client.change { $0.routes = ["0.0.0.0/0", "::/0"] }
            for i in 0..<2 {
                try internet.addDefault(i, "metric \(100 + i)")
                try client.sysctl("net/ipv4/conf/up\(i)/rp_filter", "1")
            }
            let places = (0..<2).flatMap {
                ["10.\(Internet.network($0)).0.1", "fd00:\(Internet.network($0))::1"]
            }
            // The listening socket tells bondd who initiated a connection that conntrack has not seen.
            let service = TCPListener(in: client, port: 22)
            func connect(_ place: String) throws -> TCPListener.Connection {
                try #require(service.connection(from: owner, to: place), "\(place)")
            }
            // With a strict filter no packet enters by the second uplink while the first has the default route.
            let earlier = try places.filter { $0 != "10.\(Internet.network(1)).0.1" }.map(connect)
            #expect(earlier.allSatisfy { $0.works })
            try internet.tunnel.start()
            try wait(seconds: 5, "the rules of a full tunnel") {
                try internet.routing()[2].contains("not from")
            }
            for connection in earlier { #expect(connection.works, "from before, \(connection.place)") }
            for place in places { #expect(try connect(place).works, "new, \(place)") }
            let box = try lab.namespace("box")
            let wire = try lab.veth("docker0", from: client, to: box)
            let inside = (wire.addresses.ipv4(.server), wire.addresses.ipv6(.server))
            try box.ip("route add default via \(wire.addresses.ipv4(.client))")
            try box.ip("route add default via \(wire.addresses.ipv6(.client))")
            for key in ["net/ipv4/ip_forward", "net/ipv6/conf/all/forwarding"] { try client.sysctl(key, "1") }
            try client.run([
                "nft",
                "add table inet box; add chain inet box in { type nat hook prerouting priority dstnat; }; "
                    + "add rule inet box in iifname \"up*\" tcp dport 80 dnat ip to \(inside.0); "
                    + "add rule inet box in iifname \"up*\" tcp dport 80 dnat ip6 to \(inside.1)",
            ])
            func reachesBox(_ place: String) throws {
                let probe = try TCPProbe(
                    from: owner, to: box, place, port: 80, at: (place.contains(":") ? inside.1 : inside.0, 80)
                )
                #expect(
                    probe.carries(milliseconds: 2000) && probe.carriesBack(milliseconds: 2000), "\(place)")
            }
            for place in places { try reachesBox(place) }
            // Connections that begin here still go into the tunnel.
            try internet.countLeaks()
            let own = try TCPProbe(from: client, to: internet.tunnel.server.namespace, Internet.target)
            #expect(own.carries(milliseconds: 2000))
            #expect(try internet.leaks() == 0)
            // An uplink that comes back has its mark again.
            try client.ip("link set up1 down")
            usleep(500_000)
            try client.ip("link set up1 up")
            try client.ip("addr replace fd00:\(Internet.network(1))::1/64 dev up1 nodad")
            try internet.addDefault(1, "metric 101")
            try internet.client.waitUntilWhole()
            for place in places { try reachesBox(place) }
            internet.client.bondd.stop()
            #expect(
                try client.run(["sh", "-c", "cat /proc/sys/net/ipv4/conf/up*/src_valid_mark"]) == "0\n0\n")
        }

        /// Clients use each other's services and their own, at the server's address in the tunnel.
        @Test func clientsUseServicesToo() throws {
            let world = try ServiceWorld()
            defer { world.internet.close() }
            let phone = try world.internet.tunnel.client(
                "phone", wires: ["air"], to: world.user, server: Internet.server)
            try phone.change { $0.endpoints = ["\(Internet.server):5000"] }
            try world.start()
            #expect(
                try world.carry([world.service("web"), world.service("web6", ports: 9080...9080, way: 1)])
                    == nil)
            let inside = [
                (Tunnel.serverAddress, phone.address, UInt16(8080)),
                (Tunnel.serverAddress6, phone.address6, 9080),
            ]
            for (way, (server, caller, port)) in inside.enumerated() {
                let place = (world.ways[way].target, UInt16(80))
                let other = try TCPProbe(
                    from: phone.namespace, to: world.client.namespace, server, port: port, at: place)
                #expect(other.peer == caller && other.carries(milliseconds: 2000))
                let own = try TCPProbe(
                    from: world.client.namespace, to: world.client.namespace, server, port: port, at: place)
                #expect(own.peer == server && own.carries(milliseconds: 2000))
                #expect(own.carriesBack(milliseconds: 2000))
            }
        }
    }

    /// The state that bondd leaves behind.
    @Suite("Services' life cycle", .lane(.measuring)) struct LifeCycle {
        private func expectSame(_ now: [String], _ before: [String]) {
            for (now, before) in zip(now, before) where now != before {
                let (new, old) = (Set(now.split(separator: "\n")), Set(before.split(separator: "\n")))
                Issue.record("came: \(new.subtracting(old).sorted()), went: \(old.subtracting(new).sorted())")
            }
        }

        @Test(arguments: [nil, "enabled = true"]) func nothingStays(_ nat: String?) throws {
            let world = try ServiceWorld(nat: nat)
            defer { world.internet.close() }
            for i in 0..<2 { try world.internet.addDefault(i, "metric \(100 + i)") }
            try world.server.namespace.run(["nft", "add", "table", "ip", "others"])
            let hosts = [world.server, world.client.bondd]
            let before = try hosts.map { try world.surface(of: $0.namespace) }
            func expectNothing() throws {
                for (host, was) in zip(hosts, before) {
                    try expectSame(world.surface(of: host.namespace), was)
                }
            }
            try world.internet.tunnel.start()
            let bare = try world.surface(of: world.server.namespace)
            let services = [
                world.service("web"), world.service("web6", "udp", ports: 1...1024, to: 1, way: 1),
            ]
            #expect(try world.carry(services) == nil)
            #expect(
                try world.server.namespace.run(["nft", "list", "ruleset"]).contains(
                    "table inet bondd_services"))
            // Without any service the host is in its original state.
            #expect(try world.carry([]) == nil)
            try wait(seconds: 2, "the end of the table") {
                try world.surface(of: world.server.namespace) == bare
            }
            #expect(try world.carry(services) == nil)
            let carried = try world.surface(of: world.server.namespace)
            for host in hosts { #expect(host.stop() == .exited(0)) }
            try expectNothing()
            // Restored from its own file, and killed: the next run resumes, with established connections.
            try world.internet.tunnel.start()
            try expectSame(world.surface(of: world.server.namespace), carried)
            let probe = try world.tcp(0)
            for host in hosts { host.kill() }
            try world.internet.tunnel.start()
            #expect(probe.carries(milliseconds: 3000) && probe.carriesBack(milliseconds: 3000))
            let file = "\(world.server.stateDirectory)/bond0.services"
            #expect(try world.server.namespace.run(["stat", "-c", "%a", file]) == "600\n")
            for host in hosts { #expect(host.stop() == .exited(0)) }
            try expectNothing()
            // Killed, and cleaned up.
            try world.internet.tunnel.start()
            for host in hosts {
                host.kill()
                let cleanup = try host.command([
                    "cleanup", "--config", host.file, "--state-dir", host.stateDirectory,
                ])
                #expect(cleanup.status == .exited(0), "\(cleanup.errors)")
            }
            try expectNothing()
        }

        @Test func whatOthersRemoveIsPutBack() throws {
            try ServiceWorld.run { world in
                #expect(try world.carry([world.service("web")]) == nil)
                let probe = try world.tcp(0)
                #expect(probe.carries(milliseconds: 2000))
                let before = try world.counters()
                let surfaces = try [world.server, world.client.bondd].map {
                    try world.surface(of: $0.namespace)
                }
                for command in ["flush ruleset", "flush map inet bondd_services to4"] {
                    try world.server.namespace.run(["nft"] + command.split(separator: " ").map(String.init))
                    try wait(seconds: 3, "the services") {
                        try world.surface(of: world.server.namespace) == surfaces[0]
                    }
                }
                try world.client.namespace.run(["nft", "flush", "ruleset"])
                try world.client.namespace.ip("rule del priority 1190")
                try wait(seconds: 3, "the return path") {
                    try world.surface(of: world.client.namespace) == surfaces[1]
                }
                #expect(probe.carries(milliseconds: 2000) && probe.carriesBack(milliseconds: 2000))
                // The counters do not go back.
                #expect(try world.counters()[0].bytesIn >= before[0].bytesIn)
            }
        }
    }
}
