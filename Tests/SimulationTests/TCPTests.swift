import Links
import Packet
import Testing

@testable import Simulation

@Suite("TCP over a bare link") struct TCPTests {
    /// Mbit/s of one flow over a link without a tunnel.
    private func run(_ link: LinkShape, seconds: Int64 = 10) -> (Double, TCPTransfer<CubicControl>) {
        let plan = LinkPlan(link)
        let world = World(links: [plan], seed: 1)
        world.placeWire()
        let flow = TCPTransfer(from: .client, control: CubicControl())
        world.add(flow)
        world.start([plan])
        world.run(for: .seconds(4))
        flow.beginMeasurement(now: world.now)
        world.run(for: .seconds(seconds))
        return (flow.megabits(now: world.now), flow)
    }

    @Test func cubicFillsALinkWithAQueueOfItsDelay() {
        for (rate, delay) in [(50.0, 10.0), (20.0, 30.0)] {
            var shape = LinkShape(megabits: rate, milliseconds: delay)
            shape.queue = UInt64(delay * 2e6)
            let (got, flow) = run(shape)
            print(rate, delay, got, flow.sender.recoveries, flow.sender.undone, flow.sender.timeouts)
            #expect(got >= 0.95 * rate * 1348 / 1414)
        }
    }
}
