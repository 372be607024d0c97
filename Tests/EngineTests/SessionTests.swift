import Packet
import Proto
import Scheduler
import Testing

@testable import Engine

@Suite struct SessionTests {
    @Test func firstPacketIsDelivered() throws {
        let world = try World(clients: [["100/10", "50/30"]], seed: 1)
        world.run(for: .seconds(1))
        world.send(Probe(World.inner(0), World.serverInner, number: 7), from: 0)
        world.run(for: .milliseconds(100))
        #expect(world.server.delivered.map(\.packet.number) == [7])
        world.send(Probe(World.serverInner, World.inner(0), number: 8), from: -1)
        world.run(for: .milliseconds(100))
        #expect(world.clients[0].delivered.map(\.packet.number) == [8])
        let isAssigned = world.clients[0].events.contains {
            if case .assigned(let a) = $0 { a.mtu == 1400 } else { false }
        }
        #expect(isAssigned)
    }

    /// A lost packet delays the next one for the hold time, and then a timer releases it: nothing else ever
    /// arrives.
    @Test func aPacketBehindALossNeedsNoOtherToArrive() throws {
        let world = try World(clients: [["100/10", "50/30"]], seed: 2)
        world.run(for: .seconds(1))
        let traffic = Traffic(world).add(from: 0, every: .milliseconds(10))
        traffic.run(for: .seconds(1))
        world.run(for: .seconds(1))
        var data = 0
        world.onWire = { towardsServer, _, bytes in
            guard towardsServer else { return true }
            if bytes.withUnsafeBytes({ Header(parsing: $0)?.kind }) == .data { data += 1 }
            // The first is lost, the second arrives, and then nothing more.
            return data == 0 || data == 2
        }
        world.send(Probe(World.inner(0), World.serverInner, number: 1000), from: 0)
        world.send(Probe(World.inner(0), World.serverInner, number: 1001), from: 0)
        let sent = world.now
        world.run(for: .milliseconds(400))
        let last = try #require(world.server.delivered.last)
        #expect(last.packet.number == 1001 && last.time - sent <= .milliseconds(30 + 250))
        #expect(world.server.session()?.pointee.delivery.held == 0)
    }

    /// One loss costs one wait: later packets arrive without delay.
    @Test func orderGoesOnAfterEveryLoss() throws {
        let world = try World(clients: [["100/10", "50/30"]], seed: 3)
        world.run(for: .seconds(1))
        var count = 0
        world.onWire = { towardsServer, _, bytes in
            guard towardsServer, bytes.withUnsafeBytes({ Header(parsing: $0)?.kind }) == .data else {
                return true
            }
            count += 1
            return count % 50 != 0
        }
        let traffic = Traffic(world).add(from: 0, every: .milliseconds(5))
        traffic.run(for: .seconds(10))
        world.run(for: .seconds(1))
        let total = world.server.flows.total
        #expect(total.count >= traffic.sent * 97 / 100 && total.late == 0)
        let gap = world.server.delivered.longestGap(
            after: world.now - .seconds(10), until: world.now - .seconds(2))
        #expect(gap <= .milliseconds(100), "\(gap.milliseconds) ms")
    }
}
