import Packet
import Proto
import Scheduler
import Testing

@testable import Engine

@Suite struct ModeTests {
    /// Data datagrams seen on each link, by direction.
    private final class Meter {
        var up: [UInt16: Int] = [:]
        var down: [UInt16: Int] = [:]
        /// Datagrams of any kind.
        var all: [UInt16: Int] = [:]

        init(_ world: World) {
            world.onWire = { [unowned self] towardsServer, link, bytes in
                all[link.path, default: 0] += 1
                if bytes.withUnsafeBytes({ Header(parsing: $0)?.kind }) == .data {
                    if towardsServer {
                        up[link.path, default: 0] += 1
                    } else {
                        down[link.path, default: 0] += 1
                    }
                }
                return true
            }
        }

        func reset() { (up, down, all) = ([:], [:], [:]) }
    }

    @Test func aBackupIsUsedWhenNoPrimaryIsUp() throws {
        let world = try World(clients: [["100/10", "100/1", "100/1"]], seed: 1, attached: false)
        let meter = Meter(world)
        world.setPath(1)
        world.setPath(2, role: .backup)
        world.setPath(3, role: .metered)
        world.run(for: .seconds(1))
        let traffic = Traffic(world).add(from: 0, every: .milliseconds(5)).add(
            from: -1, every: .milliseconds(5))
        traffic.run(for: .seconds(3))
        #expect(meter.up.keys.sorted() == [1] && meter.down.keys.sorted() == [1])
        world.link(1).isDown = true
        traffic.run(for: .seconds(3))
        #expect((meter.up[2] ?? 0) > 500 && (meter.down[2] ?? 0) > 500)
        #expect(meter.up[3] == nil && meter.down[3] == nil)
        world.link(2).isDown = true
        traffic.run(for: .seconds(3))
        #expect((meter.up[3] ?? 0) > 450 && (meter.down[3] ?? 0) > 450)
        world.link(1).isDown = false
        traffic.run(for: .seconds(4))
        meter.reset()
        traffic.run(for: .seconds(1))
        #expect(meter.up.keys.sorted() == [1] && meter.down.keys.sorted() == [1])
    }

    @Test func aPathOfRoleNeverIsNotTouched() throws {
        let world = try World(clients: [["100/10", "100/1"]], seed: 2, attached: false)
        let meter = Meter(world)
        world.setPath(1)
        world.setPath(2, role: .never)
        world.run(for: .seconds(1))
        let traffic = Traffic(world).add(from: 0, every: .milliseconds(5)).add(
            from: -1, every: .milliseconds(5))
        traffic.run(for: .seconds(2))
        world.link(1).isDown = true
        traffic.run(for: .seconds(2))
        #expect(meter.all[2] == nil)
    }

    /// The user takes a path out of use during a transfer, and back.
    @Test func aRoleMayChangeUnderTraffic() throws {
        let world = try World(clients: [["20/10", "20/20"]], seed: 3)
        let meter = Meter(world)
        world.run(for: .seconds(1))
        // 25 Mbit/s each way: both paths are needed.
        let traffic = Traffic(world).add(from: 0, every: .microseconds(400)).add(
            from: -1, every: .microseconds(400))
        traffic.run(for: .seconds(3))
        #expect((meter.up[2] ?? 0) > 500 && (meter.down[2] ?? 0) > 500)
        world.setPath(2, role: .never)
        traffic.run(for: .milliseconds(200))
        meter.reset()
        traffic.run(for: .seconds(1))
        #expect(meter.all[2] == nil && (meter.up[1] ?? 0) > 1000 && (meter.down[1] ?? 0) > 1000)
        world.run(for: .seconds(3))
        #expect(
            world.clients[0].buffers == 0 && world.server.buffers == 0, "nothing waits for a path for ever")
        world.setPath(2)
        traffic.run(for: .seconds(4))
        meter.reset()
        traffic.run(for: .seconds(1))
        #expect((meter.up[2] ?? 0) > 200 && (meter.down[2] ?? 0) > 200)
    }

    @Test func aModeSetAtRunTimeReachesTheServer() throws {
        let world = try World(clients: [["100/10", "100/10"]], mode: .stripe, seed: 4)
        let meter = Meter(world)
        world.run(for: .seconds(1))
        let traffic = Traffic(world).add(from: -1, every: .milliseconds(2))
        traffic.run(for: .seconds(1))
        #expect(try #require(world.server.session()).pointee.mode == .stripe)
        let striped = (meter.down[1] ?? 0) + (meter.down[2] ?? 0)
        #expect((495...505).contains(striped))
        world.clients[0].engine.setMode(.redundant)
        traffic.run(for: .milliseconds(100))
        meter.reset()
        traffic.run(for: .seconds(1))
        #expect((meter.down[1] ?? 0) >= 495 && (meter.down[2] ?? 0) >= 495)
        #expect(try #require(world.server.session()).pointee.mode == .redundant)
        world.clients[0].engine.setMode(.preferred)
        traffic.run(for: .seconds(1))
        #expect(try #require(world.server.session()).pointee.mode == .preferred)
        #expect(world.clients[0].flows.total.duplicates == 0)
    }

    /// Each packet on the two best of three paths, as requested by the client for both directions; the third
    /// takes over when one of them fails.
    @Test func redundantMayTakeTheBestPathsOnly() throws {
        let world = try World(clients: [["50/30", "50/10", "50/20"]], mode: .redundant, seed: 8)
        let meter = Meter(world)
        world.clients[0].engine.setRedundantPaths(2)
        world.run(for: .seconds(1))
        #expect(try #require(world.server.session()).pointee.redundantPaths == 2)
        let traffic = Traffic(world).add(from: 0, every: .milliseconds(5)).add(
            from: -1, every: .milliseconds(5))
        traffic.run(for: .seconds(1))
        meter.reset()
        traffic.run(for: .seconds(4))
        for counts in [meter.up, meter.down] {
            #expect((counts[2] ?? 0) >= 798 && (counts[3] ?? 0) >= 798 && (counts[1] ?? 0) <= 8, "\(counts)")
        }
        world.link(2).isDown = true
        traffic.run(for: .seconds(1))
        meter.reset()
        traffic.run(for: .seconds(2))
        for counts in [meter.up, meter.down] {
            #expect((counts[1] ?? 0) >= 398 && (counts[3] ?? 0) >= 398, "\(counts)")
        }
        world.clients[0].engine.setRedundantPaths(0)
        world.link(2).isDown = false
        traffic.run(for: .seconds(5))
        meter.reset()
        traffic.run(for: .seconds(1))
        for counts in [meter.up, meter.down] {
            #expect((1...3).allSatisfy { (counts[$0] ?? 0) >= 198 }, "\(counts)")
        }
        world.run(for: .seconds(1))
        #expect(world.server.flows.total.duplicates == 0 && world.clients[0].flows.total.duplicates == 0)
        #expect(world.server.flows.total.count == traffic.sent / 2)
    }

    /// The path with the shorter round trip carries everything while it has room; the next one takes the rest.
    @Test func preferredOverflowsToTheNextPath() throws {
        let world = try World(clients: [["20/10", "20/40"]], mode: .preferred, seed: 5)
        let meter = Meter(world)
        world.run(for: .seconds(1))
        let gentle = Traffic(world).add(from: 0, every: .milliseconds(2))
        gentle.run(for: .seconds(2))
        #expect((meter.up[1] ?? 0) >= 950 && (meter.up[2] ?? 0) <= 50, "\(meter.up)")
        meter.reset()
        let heavy = Traffic(world).add(from: 0, id: 2, every: .microseconds(300))
        heavy.run(for: .seconds(5))
        #expect((meter.up[1] ?? 0) > 6000 && (meter.up[2] ?? 0) > 4000, "\(meter.up)")
    }

    /// 0.2 Mbit/s: one packet takes 50 ms.
    @Test(arguments: Mode.allCases)
    func aVerySlowPathIsUsed(_ mode: Mode) throws {
        let world = try World(clients: [["0.2/20"]], mode: mode, seed: 6)
        world.run(for: .seconds(1))
        Traffic(world).add(from: 0, every: .milliseconds(200)).run(for: .seconds(10))
        world.run(for: .seconds(2))
        #expect(world.server.flows.total.count >= 48, "\(mode)")
    }

    /// A cap in the configuration applies to both directions.
    @Test func aCapIsHonoured() throws {
        let world = try World(clients: [["100/10"]], seed: 7, attached: false)
        world.clients[0].engine.setPath(
            1, role: .primary, capMbit: 5, link: Link(socket: 1, remote: World.serverEndpoint), now: world.now
        )
        world.run(for: .seconds(1))
        var bytes: [Bool: Int] = [:]
        world.onWire = { towardsServer, _, datagram in
            bytes[towardsServer, default: 0] += datagram.count
            return true
        }
        Traffic(world).add(from: 0, every: .milliseconds(1)).add(from: -1, every: .milliseconds(1)).run(
            for: .seconds(4))
        for direction in [true, false] {
            let megabits = Double(bytes[direction] ?? 0) * 8 / 4e6
            #expect((3.5...5.2).contains(megabits), "\(megabits) Mbit/s")
        }
    }
}
