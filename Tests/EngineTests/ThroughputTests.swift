import Lab
import Packet
import Testing

@testable import Engine

/// The throughput of a constant stream over a mix of links. Serialized, so that its table stays in one piece.
@Suite(.serialized) struct ThroughputTests {
    private static let payload = 1372
    /// An inner packet of 1400 bytes costs 1486 on the link: 44 of bondd's own, 42 of UDP, IPv4 and Ethernet.
    #if DEBUG
        private static let (search, measurement) = (Interval.seconds(3), Interval.seconds(1))
    #else
        private static let (search, measurement) = (Interval.seconds(4), Interval.seconds(4))
    #endif
    private static let share = 1400.0 / 1486

    /// Mbit/s of inner packets received by a node in the last `seconds`.
    private func goodput(_ node: Node, since start: Instant, until end: Instant) -> Double {
        let bytes = node.delivered.count { $0.time >= start && $0.time < end } * 1400
        return Double(bytes) * 8 / (end - start).seconds / 1e6
    }

    /// A stream at `offered` times the links' sum in the given directions; the goodput in each, and the packets out of
    /// order, after the paths have been probed.
    private func measure(
        _ links: [String], offered: Double = 1.1, up: Bool = true, down: Bool = false, seed: UInt64 = 1
    ) throws -> (up: Double, down: Double, late: Int) {
        let world = try World(clients: [links], seed: seed, pool: 16384)
        let sum = try links.reduce(0) { $0 + Double(try LinkSpec("l=\($1)").up.rate) }
        world.run(for: .seconds(1))
        let traffic = Traffic(world)
        let interval = Interval(nanoseconds: Int64(1400 * 8 * 1e9 / (sum * offered)))
        if up { traffic.add(from: 0, every: interval, payload: Self.payload) }
        if down { traffic.add(from: -1, every: interval, payload: Self.payload) }
        traffic.run(for: Self.search)
        let middle = world.now
        let before = world.server.flows.total.late + world.clients[0].flows.total.late
        traffic.run(for: Self.measurement)
        let late = world.server.flows.total.late + world.clients[0].flows.total.late - before
        return (
            goodput(world.server, since: middle, until: world.now),
            goodput(world.clients[0], since: middle, until: world.now), late
        )
    }

    static let mixes: [[String]] = [
        ["100/10", "50/30"], ["50/10", "10/10"], ["300/5", "80/15"], ["100/10", "50/30", "20/60"],
        ["200/5", "5/80"], ["20/10", "20/10", "20/10", "20/10"], ["100/10"],
    ]

    @Test(arguments: mixes)
    func aStreamGetsTheSumOfTheLinks(_ links: [String]) throws {
        let sum = try links.reduce(0) { $0 + Double(try LinkSpec("l=\($1)").up.rate) } / 1e6 * Self.share
        let best = try links.map { Double(try LinkSpec("l=\($0)").up.rate) }.max()! / 1e6 * Self.share
        let up = try measure(links)
        let down = try measure(links, up: false, down: true)
        row(links, "up", up.up, sum, up.late)
        row(links, "down", down.down, sum, down.late)
        for got in [up.up, down.down] {
            #expect(got >= 0.9 * sum, "\(links): \(got) of \(sum) Mbit/s")
            #expect(got >= 0.97 * best, "\(links): \(got), the best link alone \(best) Mbit/s")
        }
        // Once the paths are known. While they are probed, their queues grow faster than the hold.
        #expect(up.late < 10 && down.late < 10, "\(links): \(up.late), \(down.late) out of order")
    }

    @Test func bothDirectionsGetTheSumAtOnce() throws {
        let links = ["100/10", "50/30"]
        let got = try measure(links, down: true)
        row(links, "both, up", got.up, 150 * Self.share, got.late)
        row(links, "both, down", got.down, 150 * Self.share, got.late)
        #expect(got.up >= 0.9 * 150 * Self.share && got.down >= 0.9 * 150 * Self.share)
    }

    /// Random loss is not congestion: lost packets are lost, and nothing else changes.
    @Test func lossCostsWhatItLoses() throws {
        let links = ["50/10,loss=2%", "20/20"]
        let got = try measure(links)
        row(links, "up", got.up, 70 * Self.share, got.late)
        #expect(got.up >= 0.85 * 70 * Self.share)
    }

    private func row(_ links: [String], _ direction: String, _ got: Double, _ of: Double, _ late: Int) {
        let share = (got / of * 1000).rounded() / 10
        print(
            "goodput | \(links.joined(separator: " + ")) | \(direction) | \((got * 10).rounded() / 10) of \((of * 10).rounded() / 10) Mbit/s | \(share) % | \(late) late"
        )
    }
}
