import Lab
import LinkModel
import Packet
import Proto
import Scheduler
import Testing

@testable import Engine

/// Classes of service and rates, on both ends.
@Suite struct ShapingTests {
    /// Flow 1 is the calls', flow 2 anything else.
    private static let classes = [
        ServiceClass(
            name: "calls", priority: 0, share: 25, ports: [PortRange(transport: 17, low: 1, high: 1)])
    ]

    private func megabits(_ node: Node, _ flow: UInt16, from start: Instant, to end: Instant) -> Double {
        let bytes = node.delivered.reduce(0) {
            $0
                + ($1.packet.flow == flow && $1.time >= start && $1.time < end
                    ? $1.packet.payload + 28 : 0)
        }
        return Double(bytes * 8) / (end - start).seconds / 1e6
    }

    /// The server sends in the client's classes, and both count what passes.
    @Test func theClientsClassesHoldInBothDirections() throws {
        let world = try World(clients: [["8/10", "4/20"]], mode: .auto, seed: 1)
        world.clients[0].engine.setClasses(Self.classes, now: world.now)
        world.run(for: .seconds(1))
        let session = try #require(world.server.session())
        #expect(session.pointee.shaping.classes == Self.classes)
        #expect(world.clients[0].session()?.pointee.owed.shaping.due == .never, "acknowledged")
        let traffic = Traffic(world)
        for node in [0, -1] {
            traffic.add(from: node, id: 1, every: .milliseconds(1)).add(
                from: node, id: 2, every: .microseconds(700))
        }
        traffic.run(for: .seconds(4))
        let start = world.now
        traffic.run(for: .seconds(6))
        for node in [world.server, world.clients[0]] {
            let (calls, rest) = (
                megabits(node, 1, from: start, to: world.now), megabits(node, 2, from: start, to: world.now)
            )
            #expect(
                abs(calls / (calls + rest) / 0.25 - 1) < 0.03, "\(node.name): \(calls) of \(calls + rest)")
        }
        let report = try #require(world.server.engine.reports(now: world.now).first)
        #expect(report.classes.map { $0.serviceClass?.name } == [nil, "calls"])
        #expect(report.classes[1].bytes > 1_000_000 && report.classes[1].dropped > 100)
        // Without classes the server forgets them.
        world.clients[0].engine.setClasses([], now: world.now)
        world.run(for: .seconds(1))
        #expect(session.pointee.shaping.classes.isEmpty)
    }

    /// A server's own classes are for clients that have none.
    @Test func theServersClassesAreForClientsWithout() throws {
        let world = try World(clients: [["20/10"], ["20/10"]], seed: 2)
        world.clients[0].engine.setClasses(Self.classes, now: world.now)
        let own = [ServiceClass(name: "bulk", priority: 3, codepoints: 1 << 8)]
        world.server.engine.setClasses(own, now: world.now)
        world.run(for: .seconds(1))
        #expect(world.server.session(0)?.pointee.shaping.classes == Self.classes)
        #expect(world.server.session(1)?.pointee.shaping.classes == own)
        #expect(world.clients[1].session()?.pointee.shaping.classes == [])
    }

    /// A rate holds in both directions, from the moment it is set and until it is lifted, and the client keeps to
    /// its own, so that nothing is dropped on arrival.
    @Test func aClientsRatesAreKept() throws {
        let world = try World(clients: [["20/10", "20/15"]], mode: .auto, seed: 3)
        world.run(for: .seconds(1))
        let key = world.peers[0].publicKey
        let traffic = Traffic(world).add(from: 0, every: .microseconds(500))
            .add(from: -1, every: .microseconds(500))
        func rates(after: Interval = .seconds(2), for length: Interval = .seconds(5)) -> (Double, Double) {
            traffic.run(for: after)
            let start = world.now
            traffic.run(for: length)
            return (
                megabits(world.server, 1, from: start, to: world.now),
                megabits(world.clients[0], 1, from: start, to: world.now)
            )
        }
        let isKnown = world.server.engine.setLimits(
            PeerLimits(rateUp: 250_000, rateDown: 500_000), of: key)
        #expect(isKnown)
        var (up, down) = rates()
        #expect(abs(up / 2 - 1) < 0.05 && abs(down / 4 - 1) < 0.05, "\(up), \(down)")
        #expect(world.server.drops.overRate == 0)
        _ = world.server.engine.setLimits(PeerLimits(), of: key)
        (up, down) = rates()
        #expect(up > 15 && down > 15, "\(up), \(down)")
        let stranger = PrivateKey(bytes: [UInt8](repeating: 9, count: 32)).publicKey
        let isStrangerKnown = world.server.engine.setLimits(PeerLimits(), of: stranger)
        #expect(!isStrangerKnown)
    }

    /// A client that does not keep to its rate gains nothing.
    @Test func aClientThatSendsFasterIsPoliced() throws {
        let world = try World(clients: [["20/10"]], seed: 4)
        world.run(for: .seconds(1))
        _ = world.server.engine.setLimits(PeerLimits(rateUp: 250_000), of: world.peers[0].publicKey)
        world.run(for: .seconds(1))
        world.clients[0].session()?.pointee.sendQueue.rate = 0
        let traffic = Traffic(world).add(from: 0, every: .microseconds(1000))
        traffic.run(for: .seconds(2))
        let start = world.now
        traffic.run(for: .seconds(5))
        let up = megabits(world.server, 1, from: start, to: world.now)
        #expect(abs(up / 2 - 1) < 0.05, "\(up)")
        #expect(world.server.drops.overRate > 1000)
    }

    /// A throttled session's pings wait for the throttle, not for the bulk that waits behind it; and the paths'
    /// rates are not taken for the throttle's.
    @Test func aThrottleLeavesThePathsAlone() throws {
        let world = try World(clients: [["20/10", "10/15"]], mode: .auto, seed: 5)
        world.run(for: .seconds(1))
        let traffic = Traffic(world).add(from: -1, id: 2, every: .microseconds(350))
        traffic.run(for: .seconds(5))
        let before = world.server.engine.reports(now: world.now)[0].paths.reduce(0) { $0 + $1.rate }
        _ = world.server.engine.setLimits(PeerLimits(rateDown: 125_000), of: world.peers[0].publicKey)
        traffic.run(for: .seconds(8))
        let after = world.server.engine.reports(now: world.now)[0].paths.reduce(0) { $0 + $1.rate }
        #expect(after > before / 2, "\(before), then \(after)")
        let start = world.now
        Traffic(world).add(from: -1, id: 2, every: .microseconds(350))
            .add(from: -1, id: 3, every: .milliseconds(100), payload: 40).run(for: .seconds(3))
        let pings = world.clients[0].delivered.filter { $0.packet.flow == 3 && $0.time >= start }
        #expect(pings.count >= 28, "\(pings.count)")
        #expect(pings.longestGap(after: start, until: world.now) < .milliseconds(160))
    }

    /// Wishes in every datagram cost no more than ten a second, and nonsense is none.
    @Test func aFloodOfWishesIsBounded() throws {
        let world = try World(clients: [["20/10"]], seed: 6)
        world.run(for: .seconds(1))
        let insider = Insider(world)
        var random = SeededGenerator(seed: 6)
        var seen: Set<[ServiceClass]> = []
        var limits: Set<UInt64> = []
        let start = world.now
        for round in 0..<2000 {
            let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1200, alignment: 8)
            defer { buffer.deallocate() }
            var writer = FrameWriter(buffer)
            for _ in 0..<8 {
                let ports = (0..<4).map { _ in
                    PortRange(transport: 17, low: 0, high: UInt16.random(in: 0...(.max), using: &random))
                }
                _ = writer.append(
                    ShapingFrame(
                        revision: UInt8(round & 255), rate: UInt32.random(in: 0...(.max), using: &random),
                        classes: [
                            ServiceClass(
                                name: "c\(round)", priority: UInt8.random(in: 0...3, using: &random),
                                ceiling: UInt32.random(in: 0...(.max), using: &random), ports: ports)
                        ]))
            }
            var bytes = [UInt8](buffer[..<writer.count])
            if round % 3 == 0 {
                // In the first wish, as another frame might end the session.
                let place = Int.random(in: 3..<bytes.count / 8, using: &random)
                bytes[place] = UInt8.random(in: 0...255, using: &random)
            }
            insider.send(.control, bytes)
            world.run(for: .milliseconds(1))
            // The honest end's numbers are behind the insider's, so it may start another session.
            if let session = world.server.session() {
                seen.insert(session.pointee.shaping.classes)
                limits.insert(session.pointee.sendQueue.rate)
            }
        }
        #expect(seen.count <= Int((world.now - start).seconds * 10) + 2 && seen.count > 5, "\(seen.count)")
        #expect(limits == [0], "a client's wish limits nothing at the server")
        // The server still carries data.
        world.run(for: .seconds(15))
        Traffic(world).add(from: -1, every: .milliseconds(10)).run(for: .seconds(1))
        #expect(world.clients[0].flows.total.count > 80)
    }

    /// Marks of the host are told from codepoints, and do not leave.
    @Test func aHostsMarkIsCleared() throws {
        let world = try World(clients: [["20/10"]], seed: 7)
        let classes = [ServiceClass(name: "local", isMarkedHere: true)]
        world.clients[0].engine.setClasses(classes, now: world.now)
        world.run(for: .seconds(1))
        #expect(world.server.session()?.pointee.shaping.classes == [], "no other host has the marks")
        var services: [UInt8] = []
        world.server.onPacket = { services.append($0[1]) }
        for codepoint in [ServiceClass.localCodepoint(0), ServiceClass.localCodepoint(1), 46] {
            let probe = Probe(World.inner(0), World.serverInner, number: 1)
            let slot = world.clients[0].engine.reserve()
            let room = world.clients[0].engine.room(of: slot)
            let length = probe.write(to: room)
            room[1] = codepoint << 2 | 1
            world.clients[0].engine.send(slot, length: length, now: world.now)
            world.settle(0)
            world.run(for: .milliseconds(100))
        }
        #expect(services == [1, ServiceClass.localCodepoint(1) << 2 | 1, 46 << 2 | 1])
        let report = world.clients[0].engine.reports(now: world.now)[0]
        #expect(report.classes.map(\.packets) == [2, 1])
    }

    /// A client's priority changes its turns at once.
    @Test func prioritiesSetTheLengthOfTurns() throws {
        let world = try World(clients: [["20/10"]], seed: 8)
        world.run(for: .seconds(1))
        let session = try #require(world.server.session())
        #expect(session.pointee.turnBudget == Session.turnBudget)
        let budgets = (UInt8(0)...4).map { priority in
            _ = world.server.engine.setLimits(PeerLimits(priority: priority), of: world.peers[0].publicKey)
            return session.pointee.turnBudget / 1024
        }
        #expect(budgets == [512, 256, 128, 64, 64])
        // The peers of the configuration have theirs again.
        world.server.engine.replacePeers(world.peers)
        #expect(session.pointee.turnBudget == Session.turnBudget)
    }

    /// Sessions of a lower priority have their turn first, and a longer one.
    @Test func prioritiesOrderTheTurns() {
        var list = TurnList()
        var waiting = TurnList()
        for (session, priority) in [(1, 1), (2, 3), (3, 0), (4, 1), (5, 9)] as [(Int, UInt8)] {
            list.append(session, priority: priority)
        }
        waiting.append(6, priority: 1)
        waiting.append(7, priority: 2)
        list.postpone(&waiting)
        #expect(waiting.isEmpty)
        var order: [Int] = []
        while let next = list.next {
            order.append(next)
            list.removeNext()
        }
        #expect(order == [3, 4, 1, 6, 7, 5, 2] && list.isEmpty)
    }
}
