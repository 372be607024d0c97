import LinkModel
import Packet
import Proto
import Scheduler
import Testing

@testable import Engine

/// Forward error correction in the tunnel.
@Suite struct CodingTests {
    private struct Outcome {
        var sent = 0
        var arrived = 0
        var late = 0
        var recovered: UInt64 = 0
        /// Repair symbols sent, and their share of all datagrams.
        var symbols: UInt64 = 0
        var share = 0.0
    }

    /// Sends packets from the client over settled links; returns what arrived within a second after the last.
    private func outcome(
        _ links: [String], seed: UInt64, every interval: Interval = .milliseconds(2), payload: Int = 600,
        seconds: Int64 = 8
    ) throws -> Outcome {
        let world = try World(clients: [links], mode: .auto, seed: seed)
        world.run(for: .seconds(3))
        let traffic = Traffic(world).add(from: 0, every: interval, payload: payload)
        traffic.run(for: .seconds(2))
        let before = world.server.flows.total
        let sentBefore = traffic.sent
        traffic.run(for: .seconds(seconds))
        world.run(for: .seconds(1))
        let client = try #require(world.clients[0].session())
        let server = try #require(world.server.session())
        var datagrams = 0.0
        for i in 0..<client.pointee.paths.count {
            datagrams += Double(client.pointee.paths[i].pointee.counters.sentPackets)
        }
        let total = world.server.flows.total
        #expect(total.duplicates == 0)
        #expect(world.server.drops.malformed == 0 && world.server.drops.notIP == 0)
        return Outcome(
            sent: traffic.sent - sentBefore, arrived: total.count - before.count,
            late: total.late - before.late, recovered: server.pointee.counters.recovered,
            symbols: client.pointee.counters.repairSymbols,
            share: Double(client.pointee.counters.repairSymbols) / datagrams)
    }

    /// One path of 300 ms with 3 % loss: retransmissions come too late, so almost none may be needed.
    @Test(arguments: [1, 2, 3] as [UInt64]) func aLongPathThatLosesStaysWhole(_ seed: UInt64) throws {
        let outcome = try outcome(["20/150,loss=3%"], seed: seed)
        let count = Double(outcome.sent)
        #expect(Double(outcome.arrived) >= count * 0.998, "seed \(seed): \(outcome)")
        #expect(Double(outcome.late) <= count * 0.004, "seed \(seed): \(outcome)")
        #expect(Double(outcome.recovered) >= count * 0.02, "seed \(seed): \(outcome)")
        #expect(outcome.share < 0.15, "seed \(seed): \(outcome)")
    }

    /// Two of them, where one cannot help the other in time.
    @Test func twoLongPathsStayWhole() throws {
        let outcome = try outcome(["20/120,loss=1%", "20/150,loss=3%"], seed: 4)
        #expect(Double(outcome.arrived) >= Double(outcome.sent) * 0.998, "\(outcome)")
        #expect(outcome.recovered > 20 && outcome.share < 0.2, "\(outcome)")
    }

    /// A call tolerates only short waits, and is small.
    @Test(arguments: [1, 2, 3] as [UInt64]) func aCallOverOneLossyPathStaysWhole(_ seed: UInt64) throws {
        let outcome = try outcome(
            ["20/100,loss=3%"], seed: seed, every: .milliseconds(20), payload: 160, seconds: 30)
        #expect(Double(outcome.arrived) >= Double(outcome.sent) * 0.997, "seed \(seed): \(outcome)")
        #expect(outcome.recovered > 20 && outcome.share < 0.3, "seed \(seed): \(outcome)")
    }

    /// Losses that can be retransmitted in time need no repairs in advance, but are recovered sooner with them;
    /// they are few.
    @Test(arguments: ["50/20,loss=3%", "50/40,loss=3%"])
    func whereThereIsRoomToSpareTheyHelp(_ link: String) throws {
        for links in [[link], [link, "20/150"]] {
            let outcome = try outcome(links, seed: 5, seconds: 4)
            #expect(
                Double(outcome.arrived) >= Double(outcome.sent) * 0.998 && outcome.late == 0, "\(outcome)")
            #expect(outcome.recovered > 20 && outcome.share < 0.15, "\(outcome)")
        }
    }

    /// Neither a full path nor one without losses carries any.
    @Test func whereTheyCostOrAreOfNoUseThereIsNone() throws {
        #expect(try outcome(["20/30"], seed: 5, seconds: 4).symbols == 0)
        let world = try World(clients: [["10/20,loss=3%"]], mode: .auto, seed: 6)
        world.run(for: .seconds(1))
        let traffic = Traffic(world).add(from: 0, every: .milliseconds(1), payload: 1372)
        traffic.run(for: .seconds(3))
        let session = try #require(world.clients[0].session())
        let before = session.pointee.counters.repairSymbols
        traffic.run(for: .seconds(3))
        #expect(session.pointee.counters.repairSymbols <= before + 5 && session.pointee.counters.resent > 50)
    }

    /// A long path without losses has them until that is known.
    @Test func aLongPathIsOnTrialFirst() throws {
        let world = try World(clients: [["20/150"]], seed: 7)
        world.run(for: .seconds(3))
        let traffic = Traffic(world).add(from: 0, every: .milliseconds(2), payload: 600)
        traffic.run(for: .seconds(4))
        let session = try #require(world.clients[0].session())
        let after = session.pointee.counters.repairSymbols
        #expect(after > 10 && after < 150)
        traffic.run(for: .seconds(4))
        #expect(session.pointee.counters.repairSymbols == after && session.pointee.correction.openSums == 0)
        #expect(try !#require(world.server.session()).pointee.correction.decoder.isActive)
        world.run(for: .seconds(15))
        #expect(world.server.buffers == 0 && world.clients[0].buffers == 0)
    }

    /// An earlier version skips unknown frames: everything else arrives.
    @Test func repairSymbolsThatAreLostHarmNothing() throws {
        let world = try World(clients: [["20/150,loss=3%"]], seed: 8)
        world.run(for: .seconds(3))
        world.onWire = { towardsServer, _, bytes in
            // Control datagrams of this length are repair symbols, and longer ones are MTU probes.
            !towardsServer || !(500..<1200).contains(bytes.count)
                || bytes.withUnsafeBytes { Header(parsing: $0) }?.kind != .control
        }
        let traffic = Traffic(world).add(from: 0, every: .milliseconds(2), payload: 600)
        traffic.run(for: .seconds(5))
        world.run(for: .seconds(2))
        #expect(try #require(world.clients[0].session()).pointee.counters.repairSymbols > 50)
        #expect(try #require(world.server.session()).pointee.counters.recovered == 0)
        #expect(Double(world.server.flows.total.count) >= Double(traffic.sent) * 0.99)
    }
}
