import Glibc
import Lab
import Packet
import Testing

extension EndToEndTests {
    /// The daemon's resource usage. Bounds are the requirements, for a release build.
    @Suite("Footprint", .lane(.measuring)) struct Footprint {
        /// 24 MiB. All but 2 of them are files of the program and its libraries, of which the kernel maps more
        /// or less at its discretion.
        static let idleKilobytes = 24 << 10
        /// 64 MB.
        static let loadedKilobytes = 64_000_000 / 1024

        @Test func idleItTakesLittleAndAfterALoadItDoesAgain() throws {
            try withTunnel(["first=1000/10", "second=1000/10"]) { tunnel, client in
                let daemons = [client.bondd, tunnel.server]
                let before = daemons.map(\.residentKilobytes)
                let start = Clock.monotonic
                let ran = daemons.map(\.runningSeconds)
                usleep(8_000_000)
                for (bondd, ran) in zip(daemons, ran) {
                    let part = (bondd.runningSeconds - ran) / (Clock.monotonic - start)
                    measured("\(bondd.name), idle: of a core", part * 100, "%")
                    #expect(part <= 0.005)
                }
                let running = try TCPFlow.start(
                    from: client.namespace, to: tunnel.server.namespace,
                    TCPFlow.Plan(to: Tunnel.serverAddress, seconds: 4))
                var most = [0, 0]
                for _ in 0..<40 {
                    usleep(100_000)
                    most = zip(most, daemons).map { max($0, $1.residentKilobytes) }
                }
                measured("the load", try running.finish().megabits, "Mbit/s")
                // Buffers that the FEC window holds are released with the session's memory, after 10 s without
                // data, and the slab with the check after that.
                usleep(16_000_000)
                for (index, bondd) in daemons.enumerated() {
                    measured("\(bondd.name): idle, loaded and idle again", Double(before[index]), "kB")
                    measured("", Double(most[index]), "kB")
                    measured("", Double(bondd.residentKilobytes), "kB")
                    #expect(before[index] <= Self.idleKilobytes)
                    #expect(most[index] <= Self.loadedKilobytes)
                    #expect(bondd.residentKilobytes <= Self.idleKilobytes)
                }
            }
        }

        /// 1,000 clients with real handshakes, with two paths each.
        @Test func aThousandClientsTakeLittleEach() throws {
            let count = 1000
            let tunnel = try Tunnel()
            defer { tunnel.close() }
            let laptop = try tunnel.client("laptop", uplinks: ["fibre=100/5"])
            let namespace = try tunnel.lab.namespace("swarm")
            let wire = try tunnel.lab.veth("wire", from: namespace, to: tunnel.server.namespace)
            let endpoint = Endpoint(
                address: try #require(IPAddress(wire.addresses.ipv4(.server))), port: 5000)
            let swarm = Swarm(count, in: namespace, server: tunnel.server.publicKey, endpoint: endpoint)
            try tunnel.changeServer { file in
                file.addresses = ["10.77.0.1/16", "fd77::1/64"]
                for (number, member) in swarm.members.enumerated() {
                    file.clients.append(
                        .init(
                            name: "member\(number)", publicKey: member.publicKey.base64,
                            addresses: [member.address.description]))
                }
            }
            let start = Clock.monotonic
            try tunnel.start()
            measured("start with \(count) clients configured to a session", Clock.monotonic - start, "s")
            usleep(1_000_000)
            let alone = tunnel.server.residentKilobytes
            let began = Clock.monotonic
            swarm.run(seconds: 30, untilWhole: true)
            measured("\(count) handshakes, both paths up", Clock.monotonic - began, "s")
            #expect(swarm.whole == count)
            swarm.run(seconds: 2)
            let together = tunnel.server.residentKilobytes
            measured("a session that carried nothing", Double(together - alone) / Double(count), "kB")
            #expect(together - alone <= 32 * count)

            // They carry traffic, and are idle again.
            let server = try #require(IPAddress(Tunnel.serverAddress))
            swarm.sendOneEach(to: server)
            swarm.run(seconds: 1)
            let inUse = tunnel.server.residentKilobytes
            swarm.run(seconds: 12)
            let afterwards = tunnel.server.residentKilobytes
            measured("a session that carries something", Double(inUse - alone) / Double(count), "kB")
            measured("a session that has", Double(afterwards - alone) / Double(count), "kB")
            #expect(afterwards - alone <= 32 * count)

            // The server is well, and so are all of them.
            let status = try tunnel.server.status()
            #expect(status.sessions.count == count + 1)
            #expect(status.sessions.allSatisfy { $0.state == "up" })
            let members = status.sessions.filter { $0.client.hasPrefix("member") }
            #expect(members.allSatisfy { $0.paths.count == 2 && $0.paths.allSatisfy { $0.state == "up" } })
            #expect(try PingRun.run(from: laptop.namespace, to: Tunnel.serverAddress, count: 20).loss == 0)
        }
    }
}
