import LinkModel
import Packet
import Scheduler
import Testing

@testable import Simulation

/// The tunnel in the simulation. Short: debug code seals as fast as it can.
@Suite("A simulated tunnel") struct RunTests {
    /// An established tunnel in mode auto.
    private func tunnel(_ links: [LinkPlan], seed: UInt64 = 1) -> World {
        let world = World(links: links, seed: seed)
        world.placeTunnel(mode: .auto, seed: seed)
        world.run(for: .milliseconds(500))
        return world
    }

    private func delivered(seed: UInt64) -> (segments: Int, outOfOrder: Int) {
        let links = [(20.0, 10.0), (10.0, 30.0)].map { rate, delay in
            var shape = LinkShape(megabits: rate, milliseconds: delay)
            shape.loss = 0.001
            return LinkPlan(shape)
        }
        let world = tunnel(links, seed: seed)
        let flow = TCPTransfer(from: .client, control: CubicControl())
        world.add(flow)
        world.start(links)
        world.run(for: .seconds(2))
        return (flow.receiver.next, flow.receiver.outOfOrder)
    }

    @Test func aSeedRepeatsToTheSegment() {
        let (first, second, other) = (delivered(seed: 5), delivered(seed: 5), delivered(seed: 6))
        #expect(first.segments > 500)
        #expect(first == second)
        #expect(first != other)
    }

    /// Runs the flow over a tunnel, and measures it for `duration` from 2 s on.
    private func measure<Control: CongestionControl>(
        _ flow: TCPTransfer<Control>, over links: [LinkPlan], for duration: Interval
    ) {
        let world = tunnel(links)
        world.add(flow)
        world.start(links)
        world.run(for: .seconds(2))
        flow.beginMeasurement(now: world.now)
        world.run(for: duration)
        flow.finishMeasurement(now: world.now)
    }

    /// A path whose link is down carries nothing, and the flow continues.
    @Test func aLinkThatGoesDownIsLeft() {
        let links = [
            LinkPlan(LinkShape(megabits: 10, milliseconds: 10)).then(.isDown(true), at: 1),
            LinkPlan(LinkShape(megabits: 10, milliseconds: 10)),
        ]
        let flow = TCPTransfer(from: .client, control: CubicControl())
        measure(flow, over: links, for: .seconds(2))
        let got = flow.megabits
        #expect(got > 6 && got < 10, "\(got)")
    }

    /// Everything in flight on a path that died is retransmitted on the other, and a ping must not wait for that.
    @Test func pingsGetInBetweenTheRepairsOfADeadPath() throws {
        let links = [
            LinkPlan(LinkShape(megabits: 40, milliseconds: 10)).then(.isDown(true), at: 2),
            LinkPlan(LinkShape(megabits: 10, milliseconds: 20)),
        ]
        let world = tunnel(links)
        let pings = PacketStream(from: .client, .echo, size: 84, every: .milliseconds(10))
        world.add(TCPTransfer(from: .client, control: CubicControl()))
        world.add(pings)
        world.start(links)
        world.run(for: .milliseconds(1900))
        pings.beginMeasurement(now: world.now)
        world.run(for: .milliseconds(600))
        pings.finishMeasurement(now: world.now)
        world.run(for: .milliseconds(500))
        let log = try #require(pings.logs[.client])
        let longest = try #require(log.delays.max())
        #expect(log.count == 60 && log.lost == 0, "\(log.count) of which \(log.lost) lost")
        #expect(longest <= .milliseconds(80), "\(longest.milliseconds) ms")
    }

    /// A flow that keeps no queue gets both paths, and a call next to it, which has no mark, is never kept for
    /// the slower one.
    @Test func aBulkFlowIsSpreadAndACallIsNot() throws {
        let links = [
            LinkPlan(LinkShape(megabits: 10, milliseconds: 10)),
            LinkPlan(LinkShape(megabits: 5, milliseconds: 30)),
        ]
        let world = tunnel(links)
        let flow = TCPTransfer(from: .client, control: BBR())
        let call = PacketStream(from: .client, .oneWay, size: 200, every: .milliseconds(20))
        world.add(flow)
        world.add(call)
        world.start(links)
        world.run(for: .seconds(3))
        for flow in world.flows { flow.beginMeasurement(now: world.now) }
        world.run(for: .seconds(3))
        for flow in world.flows { flow.finishMeasurement(now: world.now) }
        world.run(for: .milliseconds(500))
        // Next to the call, 0.1 Mbit/s.
        #expect(flow.megabits > 12.3, "\(flow.megabits)")
        #expect((38...60).contains(flow.roundTrips.quantile(0.5)?.milliseconds ?? 0))
        let log = try #require(call.logs[.server])
        #expect(log.lost == 0 && log.outOfOrder == 0)
        // 10 ms and what a full path adds; the slower path alone takes 30.
        let median = try #require(log.delays.quantile(0.5))
        #expect(median < .milliseconds(25), "\(median.milliseconds) ms")
    }

    /// Marks from a step on keep a scalable flow's queue short without costing it rate.
    @Test func aScalableFlowKeepsItsQueueShort() throws {
        let links = [LinkPlan(LinkShape(megabits: 10, milliseconds: 10))]
        let flow = TCPTransfer(from: .client, control: Prague(), ecn: InnerHeader.ECN.scalable)
        measure(flow, over: links, for: .seconds(4))
        #expect(flow.megabits > 10 * 0.897 * 0.95, "\(flow.megabits)")
        #expect(flow.sender.recoveries <= 1 && flow.sender.control.marking < 0.5)
        let delay = try #require(flow.roundTrips.quantile(0.5))
        #expect(delay < .milliseconds(35), "\(delay.milliseconds) ms")
    }

    @Test func aTraceHasAsManyFiguresAsItsHeading() {
        let link = LinkPlan(LinkShape(megabits: 2, milliseconds: 5))
        var lines: [String] = []
        let cell = Run(Mix("t", "t", [link]), .cubic, seed: 1).measure { lines.append($0) }
        #expect((cell.bulk?.share ?? 0) > 0.9)
        #expect(lines.count == 1601)
        #expect(Set(lines.map { $0.count { $0 == "," } }).count == 1)
        #expect(lines[0].hasPrefix("ms,0.window,"))
    }
}
