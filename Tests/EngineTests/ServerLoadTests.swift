import Packet
import Testing

@testable import Engine
@testable import Proto

@Suite struct ServerLoadTests {
    @Test func underLoadCookiesAreAskedForAndAllGetASession() throws {
        let world = try World(clients: (0..<300).map { _ in ["inf/10"] }, seed: 1, pool: 64, attached: false)
        for client in 0..<300 { world.attach(client) }
        let time = world.time(until: .seconds(10)) { world.clients.allSatisfy { $0.session() != nil } }
        #expect(try #require(time) < .seconds(5))
        #expect(world.server.drops.cookies >= 44, "beyond 256 in a second")
        world.run(for: .milliseconds(100))
        #expect((0..<300).allSatisfy { world.server.session($0) != nil })
    }

    /// A client whose clock went back since its last start is admitted once its old session has fallen silent.
    @Test(arguments: [-3600, -86_400 * 400])
    func aClockThatWasSetBackRecovers(_ seconds: Int64) throws {
        let world = try World(clients: [["100/10", "50/30"]], seed: 2)
        world.run(for: .seconds(2))
        world.clients[0].wallOffset = seconds
        world.restartClient(0)
        let time = world.time(until: .seconds(30)) { world.clients[0].session() != nil }
        #expect(try #require(time) <= .seconds(13))
        Traffic(world).add(from: 0, every: .milliseconds(10)).run(for: .seconds(1))
        #expect(world.server.flows.total.count >= 90)
    }

    @Test func anotherVersionIsAnsweredOnlyToThoseWhoKnowTheKey() throws {
        let world = try World(clients: [["100/10"]], seed: 3, attached: false)
        var recorded: [UInt8]?
        world.onWire = { towardsServer, _, bytes in
            if towardsServer { recorded = recorded ?? bytes }
            return false
        }
        world.attach(0)
        world.run(for: .milliseconds(10))
        var future = try #require(recorded)
        future[2] = 9
        var answers: [[UInt8]] = []
        world.onWire = { towardsServer, _, bytes in
            if !towardsServer { answers.append(bytes) }
            return false
        }
        let from = world.serverSide(world.link(1))
        world.inject(future, at: -1, from: from)
        #expect(answers.isEmpty, "MAC1 is that of the unchanged init")
        let key = MacKey.mac1(PrivateKey(bytes: world.serverKey).publicKey)
        future.withUnsafeMutableBytes { _ = key.sign($0, cookie: nil) }
        for count in 0..<future.count { world.inject(Array(future[..<count]), at: -1, from: from) }
        #expect(answers.isEmpty, "cut off")
        world.inject(future, at: -1, from: from)
        #expect(answers.count == 1 && answers[0].count == Wire.headerSize)
        #expect(answers[0][3] >> 4 == Wire.versionReplyFlags)
        world.inject(answers[0], at: 0, from: Link(socket: 1, remote: World.serverEndpoint))
        let isRefused = world.clients[0].events.contains {
            if case .versionRefused = $0 { true } else { false }
        }
        #expect(isRefused)
        // A longer message of a future version is fine too.
        var longer = future + [UInt8](repeating: 3, count: 100)
        longer.withUnsafeMutableBytes { _ = key.sign($0, cookie: nil) }
        world.inject(longer, at: -1, from: from)
        #expect(answers.count == 2)
    }

    /// Whatever a client sends from an address at which it cannot receive: at most three times as much is sent
    /// there.
    @Test(arguments: Array(UInt64(1)...5))
    func anUnprovenAddressGetsThreeTimesWhatCameFromItAtMost(_ seed: UInt64) throws {
        let world = try World(clients: [["100/10", "50/30"]], seed: seed, attached: false)
        var received: [Endpoint: Int] = [:]
        var sent: [Endpoint: Int] = [:]
        var worst = 0.0
        // Nothing from the server arrives on path 2: the client cannot prove its address there.
        world.onWire = { towardsServer, link, bytes in
            if towardsServer {
                if link.path == 2 { received[link.clientEndpoint, default: 0] += bytes.count }
                return true
            }
            guard link.path == 2 else { return true }
            sent[link.clientEndpoint, default: 0] += bytes.count
            worst = max(
                worst, Double(sent[link.clientEndpoint]!) / Double(received[link.clientEndpoint] ?? 0))
            return false
        }
        world.attach(0)
        let traffic = Traffic(world).add(from: -1, every: .milliseconds(5)).add(
            from: 0, every: .milliseconds(5))
        traffic.run(for: .seconds(2))
        #expect(received.count == 1 && sent.count == 1)
        // It moves on from port to port.
        for port in UInt16(1)...20 {
            world.link(2).clientEndpoint.port = port
            traffic.run(for: .milliseconds(700))
        }
        #expect(received.count > 10 && sent.count > 10)
        #expect(worst <= 3, "seed \(seed): \(worst) times as much")
        #expect(world.server.session()?.pointee.paths.find(2) != nil)
    }
}
