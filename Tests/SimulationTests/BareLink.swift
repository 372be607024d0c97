import LinkModel
import Packet

@testable import Simulation

/// A flow over a link without a tunnel, so that the result depends only on the flow.
struct BareLink {
    var plan: LinkPlan
    var seed: UInt64 = 1

    init(_ shape: LinkShape, seed: UInt64 = 1) {
        plan = LinkPlan(shape)
        self.seed = seed
    }

    /// Rate in Mbit/s, delay in ms one way, and a queue as long as the round trip.
    init(_ rate: Double, _ delay: Double, seed: UInt64 = 1, _ change: (inout LinkShape) -> Void = { _ in }) {
        var shape = LinkShape(megabits: rate, milliseconds: delay)
        shape.queue = UInt64(delay * 2e6)
        change(&shape)
        self.init(shape, seed: seed)
    }

    /// Runs a flow, which is measured for `seconds` after `settling`.
    @discardableResult
    func run<F: Flow>(_ flow: F, settling: Int64 = 4, seconds: Int64 = 8) -> F {
        let world = World(links: [plan], seed: seed)
        world.placeWire()
        world.add(flow)
        world.start([plan])
        world.run(for: .seconds(settling))
        flow.beginMeasurement(now: world.now)
        world.run(for: .seconds(seconds))
        flow.finishMeasurement(now: world.now)
        world.run(for: .seconds(1))
        withExtendedLifetime(world) {}
        return flow
    }

    func cubic(settling: Int64 = 4, seconds: Int64 = 8) -> TCPTransfer<CubicControl> {
        run(TCPTransfer(from: .client, control: CubicControl()), settling: settling, seconds: seconds)
    }
}
