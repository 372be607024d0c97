import Engine
import LinkModel
import Packet
import Scheduler
import Testing

@testable import Simulation

/// Calls next to floods, and shares of a saturated bond.
@Suite("Classes of service in a simulated tunnel") struct ServiceClassTests {
    private let links = [
        LinkPlan(LinkShape(megabits: 12, milliseconds: 10)),
        LinkPlan(LinkShape(megabits: 6, milliseconds: 25)),
    ]

    /// A class of the UDP flow of that number.
    private func udp(_ flow: UInt16, _ name: String, priority: UInt8, share: UInt8 = 0) -> ServiceClass {
        ServiceClass(
            name: name, priority: priority, share: share,
            ports: [PortRange(transport: 17, low: 5000 + flow, high: 5000 + flow)])
    }

    private func tunnel(_ classes: [ServiceClass], limits: PeerLimits = PeerLimits()) -> World {
        let world = World(links: links, seed: 1)
        world.placeTunnel(mode: .auto, seed: 1, classes: classes, limits: limits)
        world.run(for: .milliseconds(500))
        return world
    }

    private func measure(_ world: World, after: Interval = .seconds(4), for length: Interval = .seconds(6)) {
        world.start(links)
        world.run(for: after)
        for flow in world.flows { flow.beginMeasurement(now: world.now) }
        world.run(for: length)
        for flow in world.flows { flow.finishMeasurement(now: world.now) }
        world.run(for: .seconds(1))
    }

    /// The mean deviation between the delays of consecutive packets (RFC 3550 section 6.4.1, without smoothing).
    private func jitter(_ log: PacketLog) -> Double {
        let delays = log.delays.map(\.milliseconds)
        return zip(delays, delays.dropFirst()).reduce(0) { $0 + abs($1.0 - $1.1) }
            / Double(max(delays.count, 1))
    }

    /// A flood in each direction of more than the bond carries, and a Cubic flow; ten calls' worth of packets,
    /// 500 a second, lose none and keep their distance.
    @Test func callsNextToFloodsLoseNothing() throws {
        let world = tunnel([udp(0, "calls", priority: 0)])
        let calls = PacketStream(from: .client, .twoWay, size: 200, every: .milliseconds(2))
        world.add(calls)
        for side in [Side.client, .server] {
            world.add(PacketStream(from: side, .oneWay, size: 1400, every: .microseconds(500)))
            world.add(TCPTransfer(from: side, control: CubicControl()))
        }
        measure(world)
        for (side, log) in calls.logs {
            print(
                "calls | \(side) | lost \(log.lost) of \(log.count), jitter \(jitter(log)) ms,",
                "median \(log.delays.quantile(0.5)!.milliseconds), p99 \(log.delays.quantile(0.99)!.milliseconds) ms"
            )
            #expect(log.count == 3000 && log.lost == 0, "\(side): \(log.lost) lost")
            #expect(jitter(log) <= 5, "\(side): \(jitter(log)) ms")
            #expect(try #require(log.delays.quantile(0.99)) <= .milliseconds(60))
        }
    }

    /// Three floods, each of more than the bond carries, get their shares within 3 %.
    @Test func floodsGetTheirShares() {
        let world = tunnel([
            udp(0, "a", priority: 0, share: 15), udp(1, "b", priority: 2, share: 35),
            udp(2, "c", priority: 3, share: 50),
        ])
        let streams = (0..<3).map { _ in
            PacketStream(from: .client, .oneWay, size: 1400, every: .microseconds(600))
        }
        for stream in streams { world.add(stream) }
        measure(world)
        let counts = streams.map { Double($0.logs[.server]!.delays.count) }
        let whole = counts.reduce(0, +)
        print("shares | \(counts.map { $0 / whole }), \(whole * 1400 * 8 / 6e6) Mbit/s")
        for (count, share) in zip(counts, [0.15, 0.35, 0.5]) {
            #expect(abs(count / whole / share - 1) < 0.03, "\(count / whole) for \(share)")
        }
        #expect(whole * 1400 * 8 / 6e6 > 15, "the bond is still full")
    }

    /// A Cubic flow through a client's rate, in both directions: within 5 % of it.
    @Test(arguments: [Side.client, .server])
    func aThrottledFlowKeepsTheRate(_ side: Side) {
        let world = tunnel([], limits: PeerLimits(rateUp: 500_000, rateDown: 500_000))
        let flow = TCPTransfer(from: side, control: CubicControl())
        world.add(flow)
        measure(world, for: .seconds(10))
        print("throttle | \(side) | \(flow.megabits) Mbit/s of payload at 4")
        #expect(flow.megabits > 4 * 0.95 && flow.megabits <= 4.05, "\(flow.megabits)")
    }
}
