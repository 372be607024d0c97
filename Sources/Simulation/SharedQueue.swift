import LinkModel
import Packet
import Scheduler

/// A tunnel and a neighbor's plain TCP flow that meet in the queue of one link: does each get its part?
public struct SharedQueue: Sendable {
    /// The congestion control of the neighbor's flow.
    public enum Neighbor: String, CaseIterable, Sendable {
        /// CUBIC (RFC 9438).
        case cubic
        /// BBR v1.
        case bbr
    }

    /// Bytes on the link for each byte of a flow's payload, through the tunnel and past it.
    private static let (tunnelled, plain) = (1486.0 / 1348, 1414.0 / 1348)

    private let link: LinkPlan
    private let paths: Int
    private let neighbor: Neighbor
    private let seed: UInt64

    /// - Parameter paths: the number of the tunnel's paths, all of which use the link.
    public init(_ link: LinkPlan, paths: Int, neighbor: Neighbor, seed: UInt64) {
        (self.link, self.paths, self.neighbor, self.seed) = (link, paths, neighbor, seed)
    }

    /// The parts of the link, 0 to 1, that a Cubic flow in the tunnel and the neighbor have.
    /// - Parameters:
    ///   - settling: seconds before the measurement.
    ///   - measured: seconds of it.
    public func measure(settling: Int64 = 4, measured: Int64 = 20) -> (tunnel: Double, neighbor: Double) {
        let world = World(links: Array(repeating: link, count: paths), seed: seed)
        world.sharesQueue = true
        world.placeTunnel(mode: .auto, seed: seed)
        let (client, server) = (world.stations[0], world.stations[1])
        world.place(
            client: NeighborStation(world, .client, tunnel: client, neighbor: 1),
            server: NeighborStation(world, .server, tunnel: server, neighbor: 1))
        world.run(for: .milliseconds(500))
        let tunnelled = TCPTransfer(from: .client, control: CubicControl())
        world.add(tunnelled)
        switch neighbor {
        case .cubic:
            let other = TCPTransfer(from: .client, control: CubicControl())
            world.add(other)
            run(world, settling, measured)
            return parts(tunnelled.megabits, other.megabits)
        case .bbr:
            let other = TCPTransfer(from: .client, control: BBR())
            world.add(other)
            run(world, settling, measured)
            return parts(tunnelled.megabits, other.megabits)
        }
    }

    private func run(_ world: World, _ settling: Int64, _ measured: Int64) {
        world.start([link])
        world.run(for: .seconds(settling))
        for flow in world.flows { flow.beginMeasurement(now: world.now) }
        world.run(for: .seconds(measured))
        for flow in world.flows { flow.finishMeasurement(now: world.now) }
    }

    private func parts(_ tunnelled: Double, _ plain: Double) -> (tunnel: Double, neighbor: Double) {
        let rate = Double(link.up.rate) / 1e6
        return (tunnelled * Self.tunnelled / rate, plain * Self.plain / rate)
    }
}
