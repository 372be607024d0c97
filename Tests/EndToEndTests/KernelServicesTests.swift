import ControlProtocol
import Glibc
import Lab
import Testing

extension EndToEndTests {
    /// Services that the kernel redirects from a port of the server to a host behind the tunnel.
    @Suite("Kernel services", .lane(.measuring)) struct KernelServices {
        @Test(arguments: [nil, "enabled = true"]) func aUserReachesTheTargetAndIsSeen(_ nat: String?) throws {
            try ServiceWorld.run(nat: nat) { world in
                let services = [
                    world.service("web"), world.service("names", "udp", ports: 5353...5353, to: 53),
                    world.service("web6", ports: 9080...9080, way: 1),
                    world.service("names6", "udp", ports: 6353...6353, to: 53, way: 1),
                ]
                #expect(try world.carry(services) == nil)
                for (way, port) in [(0, UInt16(8080)), (1, 9080)] {
                    let probe = try world.tcp(way, port: port)
                    #expect(probe.peer == world.ways[way].user)
                    #expect(probe.carries(milliseconds: 2000) && probe.carriesBack(milliseconds: 2000))
                }
                for (way, port) in [(0, UInt16(5353)), (1, 6353)] {
                    let flow = world.udp(way, port: port)
                    #expect(flow.ask() == world.ways[way].user)
                    #expect(flow.answer())
                }
                let counters = try world.counters()
                #expect(counters.map(\.rule) == ["web", "names", "web6", "names6"])
                #expect(counters.allSatisfy { $0.bytesIn > 0 && $0.bytesOut > 0 }, "\(counters)")
                // A closed connection no longer counts; a silent flow does for a while.
                #expect(counters.map(\.connections) == [0, 1, 0, 1])
                // No other port leads anywhere.
                #expect(throws: TCPProbe.Refused.self) { try world.tcp(0, port: 8081) }
            }
        }

        @Test func aRangeLeadsByItsOffset() throws {
            try ServiceWorld.run { world in
                let services = [
                    world.service("range", ports: 7000...8023, to: 2000),
                    world.service("flows", "udp", ports: 7000...7009, to: 3000),
                ]
                #expect(try world.carry(services) == nil)
                for offset in [UInt16(0), 511, 1023] {
                    let probe = try world.tcp(0, port: 7000 + offset, to: 2000 + offset)
                    #expect(probe.carries(milliseconds: 2000))
                }
                #expect(throws: TCPProbe.Refused.self) { try world.tcp(0, port: 8024, to: 3024) }
                #expect(world.udp(0, port: 7009, to: 3009).ask() == world.ways[0].user)
                let counters = try world.counters()
                // Ports without traffic are left out.
                #expect(counters.map(\.port) == [7000, 7511, 8023, 7009])
                #expect(counters.allSatisfy { $0.bytesIn > 0 })
            }
        }

        /// A change does not affect unchanged services; draining ones continue without new connections; removed
        /// ones are ended, even if the target sends first and NAT would give its packets the same addresses
        /// again.
        @Test(arguments: [nil, "enabled = true"]) func whatStaysStaysAndWhatGoesIsEnded(_ nat: String?) throws
        {
            try ServiceWorld.run(nat: nat) { world in
                let other = world.service("other", ports: 8081...8081, to: 81)
                func services(_ accepts: Bool) -> [HandedService] {
                    [
                        world.service("web", to: 8080, accepts: accepts),
                        world.service("names", "udp", ports: 53...53, to: 53, accepts: accepts),
                    ]
                }
                #expect(try world.carry(services(true) + [other]) == nil)
                let (web, stays) = (try world.tcp(0, to: 8080), try world.tcp(0, port: 8081, to: 81))
                let names = world.udp(0, port: 53, to: 53)
                #expect(names.ask() != nil)
                // A port that the operator has redirected to the same host.
                try world.server.namespace.run([
                    "nft",
                    "add table ip own; add chain ip own in { type nat hook prerouting priority -110; }; "
                        + "add rule ip own in tcp dport 9999 dnat to \(world.client.address):99",
                ])
                let own = nat == nil ? nil : try world.tcp(0, port: 9999, to: 99)
                func carryOn() {
                    #expect(web.carries(milliseconds: 2000) && web.carriesBack(milliseconds: 2000))
                    #expect(names.ask() != nil && names.answer())
                }
                carryOn()
                let before = try world.counters()
                #expect(try world.carry(services(false) + [other]) == nil)
                carryOn()
                #expect(throws: TCPProbe.Refused.self) { try world.tcp(0, to: 80) }
                let draining = try world.counters()
                #expect(draining.map(\.connections) == [1, 1, 1])
                #expect(zip(draining, before).prefix(2).allSatisfy { $0.bytesIn > $1.bytesIn })
                #expect(draining[2].bytesIn >= before[2].bytesIn && before[2].bytesIn > 0)
                #expect(try world.carry([other]) == nil)
                usleep(300_000)
                // The target sends first, and again after it was refused.
                _ = web.carriesBack(milliseconds: 100)
                #expect(!web.carriesBack(milliseconds: 500) && !web.carries(milliseconds: 500))
                #expect(!names.answer(milliseconds: 300) && names.ask(milliseconds: 300) == nil)
                for probe in [stays, own].compactMap(\.self) {
                    #expect(probe.carries(milliseconds: 2000) && probe.carriesBack(milliseconds: 2000))
                }
                #expect(try world.counters().map(\.rule) == ["other"])
            }
        }

        /// A port moves to another target: established connections stay with the old one.
        @Test func aPortChangesItsTarget() throws {
            try ServiceWorld.run { world in
                #expect(try world.carry([world.service("old")]) == nil)
                let old = try world.tcp(0)
                let both = [world.service("old", accepts: false), world.service("new", to: 90)]
                #expect(try world.carry(both) == nil)
                let new = try world.tcp(0, to: 90)
                for probe in [old, new] {
                    #expect(probe.carries(milliseconds: 2000) && probe.carriesBack(milliseconds: 2000))
                }
                #expect(try world.counters().map(\.connections) == [1, 1])
                #expect(try world.carry([world.service("new", to: 90)]) == nil)
                usleep(300_000)
                #expect(!old.carriesBack(milliseconds: 300))
                #expect(new.carries(milliseconds: 2000) && new.carriesBack(milliseconds: 2000))
            }
        }

        /// bondd-control is unprivileged, so bondd validates everything. The valid part is applied
        /// nevertheless: services no longer handed over must not continue because of an invalid one.
        @Test func whatMakesNoSenseIsRefused() throws {
            try ServiceWorld.run { world in
                let good = world.service("web")
                #expect(try world.carry([good]) == nil)
                func refusal(_ change: (inout HandedService) -> Void) throws -> String {
                    var bad = world.service("bad", ports: 1...10)
                    change(&bad)
                    return try world.carry([good, bad]) ?? "taken"
                }
                #expect(try refusal { $0.target = "192.0.2.1" }.contains("not behind the tunnel"))
                #expect(try refusal { $0.target = "10.77.0.1" }.contains("not behind the tunnel"))
                #expect(try refusal { $0.target = "web.example" }.contains("no IP address"))
                #expect(try refusal { $0.transport = "sctp" }.contains("use tcp or udp"))
                #expect(try refusal { $0.lastPort = 1025 }.contains("use 1 to 1024 ports"))
                #expect(try refusal { $0.firstPort = 0 }.contains("of 1 to 65535"))
                #expect(try refusal { $0.targetPort = 65530 }.contains("use 1 to 65535"))
                #expect(try refusal { $0.rule = "web" }.contains("handed over twice"))
                #expect(try refusal { $0.lastPort = 0 }.contains("of 1 to 65535"))
                #expect(
                    try refusal { ($0.firstPort, $0.lastPort) = (8080, 8081) }.contains("another service has")
                )
                #expect(
                    try refusal { ($0.transport, $0.firstPort, $0.lastPort) = ("udp", 5000, 5000) }
                        .contains("bondd itself listens"))
                // The valid part continues.
                let probe = try world.tcp(0)
                #expect(probe.carries(milliseconds: 2000))
                // Removed services are gone, whatever else is in the list.
                var bad = world.service("bad", ports: 1...10)
                bad.transport = "sctp"
                #expect(try world.carry([bad, world.service("other", ports: 8081...8081, to: 81)]) != nil)
                #expect(throws: TCPProbe.Refused.self) { try world.tcp(0) }
                #expect(try world.tcp(0, port: 8081, to: 81).carries(milliseconds: 2000))
                let answer = try ControlClient.ask(
                    .carry([good]), path: world.client.bondd.socket, timeout: 5000)
                #expect(answer == .failed("a client carries no services; hand them over to a server"))
            }
        }

        /// One uplink dies during a download.
        @Test func aDownloadSurvivesAnUplink() throws {
            try ServiceWorld.run { world in
                #expect(try world.carry([world.service("web")]) == nil)
                let probe = try world.tcp(0)
                let download = Download(probe, bytes: 200 << 20)
                let arrived = download.run(at: 40 << 20) {
                    _ = try? world.client.namespace.ip("link set up0 down")
                }
                #expect(arrived)
            }
        }

        /// Carrying a service costs next to nothing compared with the tunnel.
        @Test func itIsAsFastAsTheTunnel() throws {
            try ServiceWorld.run { world in
                #expect(try world.carry([world.service("speed", ports: 5201...5201, to: 5201)]) == nil)
                try expectShare(0.9, in: world)
            }
        }

        /// Splicing costs little more.
        @Test func userSpaceIsNearlyAsFast() throws {
            try ServiceWorld.run { world in
                let rule = "tcp:5201=\(world.client.address):5201"
                let program = try world.server.namespace.spawn([try Program("bondlab").path, "forward", rule])
                defer { program.kill() }
                try program.waitForOutput("ready", seconds: 10)
                try expectShare(0.8, in: world)
            }
        }

        /// Checks that one flow from the target to the user reaches that share of the tunnel's rate, in one of
        /// three attempts.
        private func expectShare(_ share: Double, in world: ServiceWorld) throws {
            var best = 0.0
            for _ in 0..<3 where best < share {
                var plan = TCPFlow.Plan(to: world.client.address, seconds: 4)
                (plan.omit, plan.reverse) = (1, true)
                let tunnel = try TCPFlow.run(
                    from: world.server.namespace, to: world.client.namespace, plan)
                plan.address = world.ways[0].to
                let service = try TCPFlow.run(from: world.user, to: world.client.namespace, plan)
                measured("a flow through the tunnel", tunnel.megabits, "Mbit/s")
                measured("a flow through a service", service.megabits, "Mbit/s")
                best = max(best, service.megabits / tunnel.megabits)
            }
            measured("a service's share of the tunnel's speed", best, "")
            #expect(best >= share)
        }
    }
}
