import Glibc
import Lab
import Messages
import Testing

extension EndToEndTests.KernelServices {
    /// How a client answers what came in through the tunnel, whatever its own default route is.
    @Suite("The return path") struct ReturnPath {
        /// Without any default route, with the tunnel for one, and with nothing let out beside it; answers that the route of
        /// the uplinks would take first are no exception.
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

        /// A host behind the client, to which the client's own firewall leads a port, as containers are published.
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
                // What begins here still leaves as it did.
                let own = try TCPProbe(
                    from: world.client.namespace, to: world.user, world.internet.core.addresses.ipv4(.server))
                #expect(own.peer != world.client.address && own.carries(milliseconds: 2000))
            }
        }

        /// Clients use each other's services and their own, by the server's address inside.
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

    /// What bondd leaves of all that.
    @Suite("Services' life cycle") struct LifeCycle {
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
            // None left: as if there had never been any.
            #expect(try world.carry([]) == nil)
            try wait(seconds: 2, "the end of the table") {
                try world.surface(of: world.server.namespace) == bare
            }
            #expect(try world.carry(services) == nil)
            let carried = try world.surface(of: world.server.namespace)
            for host in hosts { #expect(host.stop() == .exited(0)) }
            try expectNothing()
            // Again from its own file, and killed: the next run finds its way, with what is established.
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
                // What was counted before does not go back.
                #expect(try world.counters()[0].bytesIn >= before[0].bytesIn)
            }
        }
    }
}
