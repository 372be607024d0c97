import Glibc
import Lab
import Messages
import Testing

extension EndToEndTests {
    /// Services that the kernel carries from a port of the server to a host behind the tunnel; no bondd-control is there.
    @Suite("Kernel services") struct KernelServices {
        /// A user beside the router ── server ── router ── two uplinks ── client, whose default route is an uplink.
        private struct World {
            let internet: Internet

            var server: Bondd { internet.tunnel.server }
            var client: TunnelClient { internet.client }
            var user: Namespace { internet.router }
            /// Where the user reaches the server, the target inside, and the user's own address.
            var ways: [(to: String, target: String, user: String)] {
                let addresses = internet.core.addresses
                return [
                    (Internet.server, client.address, addresses.ipv4(.server)),
                    (Internet.server6, client.address6, addresses.ipv6(.server)),
                ]
            }

            init(nat: String? = nil) throws {
                internet = try Internet()
                try internet.tunnel.changeServer { $0.nat = nat }
            }

            func start() throws {
                try internet.addDefault(0, "metric 100")
                try internet.addDefault(1, "metric 200")
                try internet.tunnel.start()
            }

            /// Hands services over as bondd-control does; what is wrong with them.
            @discardableResult func carry(_ services: [HandedService]) throws -> String? {
                switch try ControlClient.ask(.carry(services), path: server.socket, timeout: 5000) as Response
                {
                case .ok: return nil
                case .failed(let sentence): return sentence
                default: return "no answer"
                }
            }

            func counters() throws -> [ServicePortCounters] {
                guard
                    case .services(let counters) = try ControlClient.ask(
                        .services, path: server.socket, timeout: 5000) as Response
                else { return [] }
                return counters.ports
            }

            func tcp(_ way: Int, port: UInt16 = 8080, to targetPort: UInt16 = 80) throws -> TCPProbe {
                try TCPProbe(
                    from: user, to: client.namespace, ways[way].to, port: port,
                    at: (ways[way].target, targetPort))
            }

            func udp(_ way: Int, port: UInt16 = 5353, to targetPort: UInt16 = 53) -> UDPProbe {
                UDPProbe(
                    from: user, to: client.namespace, ways[way].to, port: port,
                    at: (ways[way].target, targetPort))
            }
        }

        private func inWorld(nat: String? = nil, _ body: (World) throws -> Void) throws {
            let world = try World(nat: nat)
            defer { world.internet.close() }
            try world.start()
            try body(world)
        }

        /// A port of TCP over IPv4, another one over IPv6, and the same of UDP.
        private func services(_ world: World, accepts: Bool = true) -> [HandedService] {
            [
                HandedService(
                    rule: "web", transport: "tcp", firstPort: 8080, lastPort: 8080,
                    target: world.client.address, targetPort: 80, accepts: accepts),
                HandedService(
                    rule: "names", transport: "udp", firstPort: 5353, lastPort: 5353,
                    target: world.client.address, targetPort: 53, accepts: accepts),
            ]
        }

        private func services6(_ world: World) -> [HandedService] {
            services(world).map {
                HandedService(
                    rule: $0.rule + "6", transport: $0.transport, firstPort: $0.firstPort + 1000,
                    lastPort: $0.lastPort + 1000, target: world.client.address6, targetPort: $0.targetPort)
            }
        }

        @Test(arguments: [nil, "enabled = true"]) func aUserReachesTheTargetAndIsSeen(_ nat: String?) throws {
            try inWorld(nat: nat) { world in
                #expect(try world.carry(services(world) + services6(world)) == nil)
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
            }
        }
    }
}
