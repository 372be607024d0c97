import Packet
import Proto
import Scheduler
import Testing

@testable import Engine

/// The cost of an idle path: at most 5 MB a day of IP packets, both directions together.
@Suite struct ThriftTests {
    /// Counts the bytes on each link, with the headers of UDP over IPv6.
    private final class Meter {
        private(set) var bytes: [UInt16: Int] = [:]
        private(set) var data: [UInt16: Int] = [:]

        init(_ world: World) {
            world.onWire = { [self] _, link, datagram in
                bytes[link.path, default: 0] += datagram.count + 48
                if datagram.withUnsafeBytes({ Header(parsing: $0)?.kind }) == .data {
                    data[link.path, default: 0] += 1
                }
                return true
            }
        }

        /// Megabytes per day at this rate.
        func aDay(on path: UInt16, over length: Interval) -> Double {
            Double(bytes[path] ?? 0) / length.seconds * 86_400 / 1e6
        }
    }

    /// 84 bytes twice a second each way, like `ping -i 0.5`.
    private func trickle(_ world: World) -> Traffic {
        Traffic(world).add(from: 0, every: .milliseconds(500), payload: 56)
            .add(from: -1, every: .milliseconds(500), payload: 56)
    }

    static let length = Interval.seconds(1200)

    @Test(arguments: [PathRole.backup, .metered])
    func aPathInReserveBesideATrickle(_ role: PathRole) throws {
        let world = try World(clients: [["50/20", "20/40"]], mode: .auto, seed: 1, attached: false)
        let meter = Meter(world)
        world.setPath(1)
        world.setPath(2, role: role)
        trickle(world).run(for: Self.length)
        let cost = meter.aDay(on: 2, over: Self.length)
        print("thrift | \(role) beside a trickle | \(cost) MB a day")
        #expect((0.5...5).contains(cost), "\(cost) MB a day")
        #expect(meter.data[2] == nil)
    }

    /// A radio link that is suspect every few seconds must not keep the reserve path busy with reports of it.
    @Test func aPathInReserveBesideOneThatIsOftenInDoubt() throws {
        let world = try World(
            clients: [["50/20,loss=10%,burst=3", "20/40"]], mode: .auto, seed: 1, attached: false)
        let meter = Meter(world)
        world.setPath(1)
        world.setPath(2, role: .backup)
        world.run(for: Self.length)
        let doubts = world.clients[0].states(of: 1).count { $0 == .suspect }
        let cost = meter.aDay(on: 2, over: Self.length)
        print("thrift | backup of a lossy path, idle | \(cost) MB a day, \(doubts) doubts")
        #expect(doubts > 5)
        #expect(cost <= 5, "\(cost) MB a day")
    }

    @Test func aPrimaryThatAnotherIsPreferredTo() throws {
        let world = try World(clients: [["50/20", "20/40"]], mode: .preferred, seed: 2)
        let meter = Meter(world)
        trickle(world).run(for: Self.length)
        let cost = meter.aDay(on: 2, over: Self.length)
        print("thrift | preferred, the other primary | \(cost) MB a day")
        #expect((0.5...5).contains(cost), "\(cost) MB a day")
        #expect((meter.data[2] ?? 0) < 20)
    }

    @Test func aPathThatIsTooFar() throws {
        let world = try World(clients: [["50/20", "20/300"]], seed: 3)
        let meter = Meter(world)
        trickle(world).run(for: Self.length)
        let cost = meter.aDay(on: 2, over: Self.length)
        print("thrift | too far | \(cost) MB a day")
        #expect((0.5...5).contains(cost), "\(cost) MB a day")
    }

    /// A dead SIM card, a captive portal: no datagram on the path arrives, from the start or from one moment on.
    @Test(arguments: [true, false], [PathRole.primary, .metered])
    func aPathWhoseNetworkDropsEverything(_ fromTheStart: Bool, _ role: PathRole) throws {
        let world = try World(clients: [["50/20", "20/40"]], seed: 4, attached: false)
        world.link(2).isDown = fromTheStart
        world.setPath(1)
        world.setPath(2, role: role)
        let traffic = trickle(world)
        traffic.run(for: .seconds(30))
        world.link(2).isDown = true
        let meter = Meter(world)
        traffic.run(for: Self.length)
        let cost = meter.aDay(on: 2, over: Self.length)
        print("thrift | dead, \(role), from the start \(fromTheStart) | \(cost) MB a day")
        #expect((0.1...5).contains(cost), "\(cost) MB a day")
        // It is detected again within a tenth of the outage, or 10 s.
        world.link(2).isDown = false
        let time = world.time(until: .seconds(15)) { world.clients[0].states(of: 2).last == .up }
        #expect(try #require(time) <= .seconds(11))
    }

    /// The daemon reports a change of the interface: the path is tried at once.
    @Test func aDeadPathIsTriedAtOnceWhenItsInterfaceChanges() throws {
        let world = try World(clients: [["50/20", "20/40"]], seed: 5)
        world.run(for: .seconds(2))
        world.link(2).isDown = true
        world.run(for: .seconds(400))
        world.link(2).isDown = false
        world.setPath(2)
        let time = world.time(until: .seconds(15)) { world.clients[0].states(of: 2).last == .up }
        #expect(try #require(time) <= .seconds(1))
    }

    @Test func aTunnelThatIsIdle() throws {
        let world = try World(clients: [["50/20", "20/40"]], mode: .auto, seed: 6)
        let meter = Meter(world)
        world.run(for: Self.length)
        for path in UInt16(1)...2 {
            let cost = meter.aDay(on: path, over: Self.length)
            print("thrift | idle, path \(path) | \(cost) MB a day")
            #expect((0.5...5).contains(cost), "path \(path): \(cost) MB a day")
        }
        #expect(world.clients[0].established(continuing: false) == 1)
        #expect(world.clients[0].established(continuing: true) >= 9, "new keys every two minutes")
    }

    /// One packet a minute, like a host's own traffic: NTP, neighbor discovery.
    @Test func aTunnelThatIsAlmostIdle() throws {
        let world = try World(clients: [["50/20", "20/40"]], mode: .stripe, seed: 6, attached: false)
        let meter = Meter(world)
        world.setPath(1)
        world.setPath(2, role: .metered)
        Traffic(world).add(from: 0, every: .seconds(60), payload: 56).run(for: Self.length)
        for path in UInt16(1)...2 {
            let cost = meter.aDay(on: path, over: Self.length)
            print("thrift | a packet a minute, path \(path) | \(cost) MB a day")
            #expect(cost <= 5, "path \(path): \(cost) MB a day")
        }
    }

    /// The server is off.
    @Test func aServerThatDoesNotAnswer() throws {
        let world = try World(clients: [["50/20", "20/40"]], seed: 7, attached: false)
        world.setPath(1)
        world.setPath(2, role: .metered)
        world.run(for: .seconds(5))
        world.server.isAlive = false
        let meter = Meter(world)
        world.run(for: .seconds(3600))
        for path in UInt16(1)...2 {
            let cost = meter.aDay(on: path, over: .seconds(3600))
            print("thrift | no server, path \(path) | \(cost) MB a day")
        }
        #expect(meter.aDay(on: 2, over: .seconds(3600)) <= 5)
        let before = meter.bytes[1] ?? 0
        world.run(for: .seconds(3600))
        #expect(Double((meter.bytes[1] ?? 0) - before) * 24 <= 5e6, "after the first hour")
        world.restartServer()
        world.server.isAlive = true
        let time = world.time(until: .seconds(15)) {
            world.clients[0].session()?.pointee.paths.isAnyUp ?? false
        }
        #expect(try #require(time) <= .seconds(6))
    }
}
